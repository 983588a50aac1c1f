import { Page } from '@/ui/Page'

export default function DatacenterPage() {
  return <Page title="DatacenterPage">{null}</Page>
}
