import { Page } from '@/ui/Page'

export default function ApiExplorer() {
  return <Page title="ApiExplorer">{null}</Page>
}
