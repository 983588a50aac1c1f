import { Page } from '@/ui/Page'

export default function NodeList() {
  return <Page title="NodeList">{null}</Page>
}
