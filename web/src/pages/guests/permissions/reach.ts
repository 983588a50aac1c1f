/** Which entries of the access control list reach a guest. */

export interface Entry {
  path: string
  type: 'user' | 'group' | 'token'
  ugid: string
  roleid: string
  propagate: number
}

/** Those on the guest itself, then those that come down to it from its pool and the paths above. */
export function entriesFor<E extends Entry>(entries: readonly E[], vmid: number, pool?: string): E[] {
  const own = `/vms/${vmid}`
  const above = [...(pool ? poolPaths(pool) : []), '/vms', '/']
  const rank = (path: string) => (path === own ? 0 : above.indexOf(path) + 1)
  return entries
    .filter(({ path, propagate }) => path === own || (Boolean(propagate) && above.includes(path)))
    .sort((a, b) => rank(a.path) - rank(b.path) || a.ugid.localeCompare(b.ugid))
}

/** A pool's path and those of the pools that it is in. */
function poolPaths(pool: string): string[] {
  const parts = pool.split('/')
  return [...parts.map((_, place) => `/pool/${parts.slice(0, parts.length - place).join('/')}`), '/pool']
}
