/** Calls for many guests: which ones, and how they are run. */
import { ApiError, call, type Operation, type Params, Unreachable } from '@/api/client'
import { whenEnded } from '@/live/tasks'
import type { Guest } from '@/live/types'

/** One call of many. */
export interface Job {
  key: string
  /** Of what: `web-1 (100)`. */
  label: string
  operation: Operation
  params: Record<string, unknown>
}

export type Power = 'start' | 'shutdown' | 'stop' | 'reboot' | 'reset' | 'suspend' | 'resume'

export const nameOf = (guest: Guest): string => `${guest.name} (${guest.vmid})`

const job = (guest: Guest, operation: Operation, more: Record<string, unknown> = {}): Job => ({
  key: String(guest.vmid),
  label: nameOf(guest),
  operation,
  params: { node: guest.node, vmid: guest.vmid, ...more },
})

export const isMachine = (guest: Guest): boolean => guest.type === 'qemu' && !guest.template
const runs = (guest: Guest): boolean => guest.status === 'running'
const isPaused = (guest: Guest): boolean => runs(guest) && guest.qmpstatus === 'paused'

/** Whether a power action makes sense for a guest as it is. */
export function applies(power: Power, guest: Guest): boolean {
  if (!isMachine(guest)) return false
  if (power === 'start') return !runs(guest)
  if (power === 'resume') return isPaused(guest)
  if (power === 'suspend') return runs(guest) && !isPaused(guest)
  return runs(guest)
}

export const powerJobs = (power: Power, guests: readonly Guest[]): Job[] =>
  guests
    .filter((guest) => applies(power, guest))
    .map((guest) => job(guest, `POST /nodes/{node}/qemu/{vmid}/status/${power}`))

export const deleteJobs = (guests: readonly Guest[], purge: boolean, unreferenced: boolean): Job[] =>
  guests.map((guest) =>
    job(guest, 'DELETE /nodes/{node}/qemu/{vmid}', { purge, 'destroy-unreferenced-disks': unreferenced }),
  )

/** Only for those whose tags would change. */
export function tagJobs(guests: readonly Guest[], add: readonly string[], remove: readonly string[]): Job[] {
  return guests.flatMap((guest) => {
    const next = [...new Set([...guest.tags, ...add])].filter((tag) => !remove.includes(tag))
    if (next.length === guest.tags.length && next.every((tag) => guest.tags.includes(tag))) return []
    const change = next.length > 0 ? { tags: next.join(';') } : { delete: 'tags' }
    return [job(guest, 'PUT /nodes/{node}/qemu/{vmid}/config', change)]
  })
}

/** Into a pool, or, without one, out of those that they are in. */
export function poolJobs(guests: readonly Guest[], pool: string | null): Job[] {
  const members = new Map<string, number[]>()
  for (const guest of guests) {
    const key = pool ?? guest.pool
    if (key && (pool === null || guest.pool !== pool)) members.set(key, [...(members.get(key) ?? []), guest.vmid])
  }
  const how = pool === null ? { delete: true } : { 'allow-move': true }
  return [...members].map(([poolid, vmids]) => ({
    key: poolid,
    label: poolid,
    operation: 'PUT /pools',
    params: { poolid, vms: vmids.join(','), ...how },
  }))
}

/** Do something for each, a few at a time. Answers in the order of the items. */
export async function eachOf<T, R>(items: readonly T[], limit: number, step: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length)
  let next = 0
  const work = async () => {
    while (next < items.length) {
      const at = next
      next += 1
      results[at] = await step(items[at] as T)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
  return results
}

export interface Outcome {
  job: Job
  /** What went wrong; null: nothing. */
  problem: string | null
}

export const AT_ONCE = 6
/** A place is free again after so long (ms), even if its task still runs: a shutdown may take minutes. */
const PATIENCE = 15_000

const later = (milliseconds: number) => new Promise<void>((resolve) => window.setTimeout(resolve, milliseconds))
const isGood = (status: string) => status === 'OK' || status.startsWith('WARNINGS')

function said(error: unknown): string {
  if (error instanceof ApiError) return [error.message, ...Object.values(error.errors)].join(' ')
  if (error instanceof Unreachable) return ''
  return error instanceof Error ? error.message : String(error)
}

/** Run calls, a few at a time; `tell` hears of each that has ended with its task. */
export async function runJobs(
  jobs: readonly Job[],
  tell: (outcome: Outcome) => void,
  tokens: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  const ends: Promise<void>[] = []
  await eachOf(jobs, AT_ONCE, async (each) => {
    try {
      const result = await call(each.operation, each.params as Params<Operation>, {
        apply: tokens.get(each.key),
        idempotencyKey: crypto.randomUUID(),
      })
      if (typeof result === 'string' && result.startsWith('UPID:')) {
        const end = whenEnded(result).then((status) => tell({ job: each, problem: isGood(status) ? null : status }))
        ends.push(end)
        await Promise.race([end, later(PATIENCE)])
      } else tell({ job: each, problem: null })
    } catch (error) {
      tell({ job: each, problem: said(error) })
    }
  })
  await Promise.all(ends)
}
