import { Page } from '@/ui/Page'

export default function NodePage() {
  return <Page title="NodePage">{null}</Page>
}
