import type { TabProps } from '@/pages/guests/tabs'

export default function TasksTab(_: TabProps) {
  return null
}
