import { Page } from '@/ui/Page'

export default function PoolPage() {
  return <Page title="PoolPage">{null}</Page>
}
