import type { TabProps } from '@/pages/guests/tabs'

export default function OptionsTab(_: TabProps) {
  return null
}
