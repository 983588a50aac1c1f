/** What the user may do where. The API decides in the end; this is for what is shown. */
import { useApi } from '@/api/query'

/** Path → privilege → whether it counts below the path too. */
export type Granted = Record<string, Record<string, number | boolean>>

/** Whether a privilege is held on a path, by the nearest path that has entries. */
export function allowed(granted: Granted, path: string, privilege: string): boolean {
  const wanted = path === '/' ? '/' : path.replace(/\/+$/, '')
  for (let at = wanted; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    const found = granted[at]
    if (found) return privilege in found && (at === wanted || Boolean(found[privilege]))
    if (at === '/') return false
  }
}

const POOLED = /^\/(vms|storage)\/[^/]+$/

/** Whether a pool may give what the path itself does not: then only the API can tell. */
export const pooled = (granted: Granted, path: string, privilege: string): boolean =>
  POOLED.test(path) && Object.entries(granted).some(([at, held]) => at.startsWith('/pool/') && privilege in held)

/** Whether the user has a privilege on an ACL path; false until that is known. */
export function useAllowed(path: string, privilege: string): boolean {
  const all = useApi('GET /access/permissions', {}).data as Granted | undefined
  const direct = all !== undefined && allowed(all, path, privilege)
  const ask = all !== undefined && !direct && pooled(all, path, privilege)
  const here = useApi('GET /access/permissions', { path }, { enabled: ask }).data as Granted | undefined
  return direct || (ask && privilege in (here?.[path] ?? {}))
}
