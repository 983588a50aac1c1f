/** What is in a pool, and where the pool stands among the others. */
import type { Guest, StorageRow } from '@/live/types'

export interface Member {
  key: string
  kind: 'guest' | 'storage'
  /** The guest's number or the storage's name, as calls want it. */
  id: string
  name: string
  node: string
  status: string
}

/** Guests and storages of a pool as rows, guests first. A storage is one, however many nodes show it. */
export function membersOf(
  pool: string,
  guests: Iterable<Guest>,
  storages: readonly string[],
  places: readonly StorageRow[],
): Member[] {
  const rows: Member[] = []
  for (const guest of guests) {
    if (guest.pool !== pool) continue
    const { vmid, name, node, status } = guest
    rows.push({ key: `guest/${vmid}`, kind: 'guest', id: String(vmid), name, node, status })
  }
  rows.sort((a, b) => Number(a.id) - Number(b.id))
  for (const id of [...new Set(storages)].sort()) {
    const seen = places.filter((place) => place.storage === id)
    const node = [...new Set(seen.map((place) => place.node))].join(', ')
    rows.push({ key: `storage/${id}`, kind: 'storage', id, name: id, node, status: seen[0]?.status ?? 'unknown' })
  }
  return rows
}

/** The call's lists for some members. */
export function listsOf(members: readonly Member[]): { vms?: string[]; storage?: string[] } {
  const of = (kind: Member['kind']) => members.flatMap((each) => (each.kind === kind ? [each.id] : []))
  const [vms, storage] = [of('guest'), of('storage')]
  return { ...(vms.length > 0 && { vms }), ...(storage.length > 0 && { storage }) }
}

/** The pools that a pool is in, outermost first: `a/b/c` → `a`, `a/b`. */
export function above(pool: string): string[] {
  const parts = pool.split('/')
  return parts.slice(1).map((_, place) => parts.slice(0, place + 1).join('/'))
}

/** The pools directly in a pool. */
export const inside = (pool: string, all: Iterable<string>): string[] =>
  [...all].filter((each) => each.startsWith(`${pool}/`) && !each.slice(pool.length + 1).includes('/')).sort()

/** The API nests pools so deep. */
export const DEEPEST = 3
