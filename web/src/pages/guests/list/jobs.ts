/** Which calls do something to many guests. */
import type { Operation } from '@/api/client'
import type { Guest } from '@/live/types'
import type { Job } from '@/ui/Bulk/jobs'

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
