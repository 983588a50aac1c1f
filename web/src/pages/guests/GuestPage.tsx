import { Page } from '@/ui/Page'

export default function GuestPage() {
  return <Page title="GuestPage">{null}</Page>
}
