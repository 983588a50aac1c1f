import { useApi } from '@/api/query'

const PENDING = () => false

/** Whether the user has a privilege on a guest. Nothing is allowed until the answer is there. */
export function useGuestMay(vmid: number): (privilege: string) => boolean {
  const path = `/vms/${vmid}`
  const { data } = useApi('GET /access/permissions', { path })
  const privileges = data?.[path]
  return privileges ? (privilege) => privilege in privileges : PENDING
}
