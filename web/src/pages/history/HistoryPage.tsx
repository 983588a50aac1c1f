import { Page } from '@/ui/Page'

export default function HistoryPage() {
  return <Page title="HistoryPage">{null}</Page>
}
