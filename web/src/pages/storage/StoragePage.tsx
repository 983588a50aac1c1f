import { Page } from '@/ui/Page'

export default function StoragePage() {
  return <Page title="StoragePage">{null}</Page>
}
