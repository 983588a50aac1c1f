import { Page } from '@/ui/Page'

export default function PoolList() {
  return <Page title="PoolList">{null}</Page>
}
