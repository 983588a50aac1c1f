import type { TabProps } from '@/pages/guests/tabs'

export default function HistoryTab(_: TabProps) {
  return null
}
