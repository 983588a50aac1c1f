/** What the caller may do with users, groups and permissions: to hide what can't work. The API decides. */
import { useCallback } from 'react'
import { allowed } from '@/api/permissions'
import { useApi } from '@/api/query'
import { useSession } from '@/api/session'

/** A test for several paths at once, true if one of the privileges is held; false until that is known. */
export function useMayOn(): (path: string, ...privileges: string[]) => boolean {
  const granted = useApi('GET /access/permissions', {}).data
  return useCallback(
    (path, ...privileges) => granted !== undefined && privileges.some((each) => allowed(granted, path, each)),
    [granted],
  )
}

/** The caller's name: a user or a token. */
export function useMyself(): string {
  const now = useSession()
  return now.kind === 'open' || now.kind === 'lost' ? now.session.username : ''
}
