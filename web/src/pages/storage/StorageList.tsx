import { Page } from '@/ui/Page'

export default function StorageList() {
  return <Page title="StorageList">{null}</Page>
}
