import type { TabProps } from '@/pages/guests/tabs'
import { HistoryView } from '@/pages/history/HistoryView'

/** Who changed this guest, what, and when. */
export default function HistoryTab({ guest }: TabProps) {
  return <HistoryView vmid={guest.vmid} />
}
