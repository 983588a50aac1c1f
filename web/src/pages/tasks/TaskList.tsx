import { Page } from '@/ui/Page'

export default function TaskList() {
  return <Page title="TaskList">{null}</Page>
}
