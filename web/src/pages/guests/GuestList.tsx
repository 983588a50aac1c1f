import { Page } from '@/ui/Page'

export default function GuestList() {
  return <Page title="GuestList">{null}</Page>
}
