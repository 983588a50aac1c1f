import type { TabProps } from '@/pages/guests/tabs'

export default function AgentTab(_: TabProps) {
  return null
}
