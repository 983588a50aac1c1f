import type { Guest, PoolRow } from '@/live/types'
import type { Job } from '@/ui/Bulk/jobs'

export interface PoolEntry {
  pool: string
  comment: string
  guests: number
  running: number
  /** Of all its guests, as configured. */
  memory: number
}

/** Pools with their comments and what their guests add up to. */
export function poolEntries(
  pools: Iterable<PoolRow>,
  comments: readonly { poolid: string; comment?: string }[],
  guests: Iterable<Guest>,
): PoolEntry[] {
  const said = new Map(comments.map(({ poolid, comment = '' }) => [poolid, comment]))
  const entries = new Map<string, PoolEntry>()
  for (const pool of [...[...pools].map((row) => row.pool), ...said.keys()])
    entries.set(pool, { pool, comment: said.get(pool) ?? '', guests: 0, running: 0, memory: 0 })
  for (const { pool, status, maxmem } of guests) {
    const entry = pool === undefined ? undefined : entries.get(pool)
    if (!entry) continue
    entry.guests += 1
    entry.memory += maxmem
    if (status === 'running') entry.running += 1
  }
  return [...entries.values()]
}

export const removePoolJobs = (entries: readonly PoolEntry[]): Job[] =>
  entries.map(({ pool }) => ({ key: pool, label: pool, operation: 'DELETE /pools', params: { poolid: pool } }))
