import type { TabProps } from '@/pages/guests/tabs'

export default function CloudInitTab(_: TabProps) {
  return null
}
