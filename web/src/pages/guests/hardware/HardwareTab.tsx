import type { TabProps } from '@/pages/guests/tabs'

export default function HardwareTab(_: TabProps) {
  return null
}
