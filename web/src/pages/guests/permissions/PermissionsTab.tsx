import type { TabProps } from '@/pages/guests/tabs'

export default function PermissionsTab(_: TabProps) {
  return null
}
