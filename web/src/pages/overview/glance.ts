/** What the overview says, out of the inventory and the tasks. */
import { outcome } from '@/live/tasks'
import type { Guest, NodeRow, StorageRow, TaskInfo } from '@/live/types'

export interface GuestCount {
  running: number
  paused: number
  stopped: number
  templates: number
  total: number
}

export function countGuests(guests: readonly Guest[]): GuestCount {
  const count = { running: 0, paused: 0, stopped: 0, templates: 0, total: guests.length }
  for (const guest of guests) {
    if (guest.template) count.templates += 1
    else if (guest.qmpstatus === 'paused' || guest.status === 'paused') count.paused += 1
    else if (guest.status === 'running') count.running += 1
    else count.stopped += 1
  }
  return count
}

export interface Totals {
  cpu: number
  maxcpu: number
  mem: number
  maxmem: number
  disk: number
  maxdisk: number
}

/** Processors in use (cores), memory and storage of all; a shared storage counts once. */
export function totals(nodes: readonly NodeRow[], storages: readonly StorageRow[]): Totals {
  const sum: Totals = { cpu: 0, maxcpu: 0, mem: 0, maxmem: 0, disk: 0, maxdisk: 0 }
  for (const node of nodes) {
    if (node.status !== 'online') continue
    sum.cpu += node.cpu * node.maxcpu
    sum.maxcpu += node.maxcpu
    sum.mem += node.mem
    sum.maxmem += node.maxmem
  }
  const seen = new Set<string>()
  for (const { storage, shared, disk, maxdisk } of storages) {
    if (shared && seen.has(storage)) continue
    seen.add(storage)
    sum.disk += disk
    sum.maxdisk += maxdisk
  }
  return sum
}

export type Concern =
  | { kind: 'node'; node: string; status: string }
  | { kind: 'storageAway'; storage: string; node: string; status: string }
  | { kind: 'storageFull'; storage: string; node: string; share: number }
  | { kind: 'guestLock'; vmid: number; name: string; lock: string }
  | { kind: 'guestError'; vmid: number; name: string; status: string }
  | { kind: 'task'; task: TaskInfo }

/** From which share on a storage is named. */
export const FULL = 0.85
const AILING = new Set(['io-error', 'internal-error', 'guest-panicked', 'prelaunch'])

function ofStorages(storages: readonly StorageRow[]): Concern[] {
  return storages.flatMap((each): Concern[] => {
    const { storage, node, status, disk, maxdisk } = each
    if (status !== 'available' && status !== 'disabled') return [{ kind: 'storageAway', storage, node, status }]
    if (maxdisk > 0 && disk / maxdisk > FULL) return [{ kind: 'storageFull', storage, node, share: disk / maxdisk }]
    return []
  })
}

function ofGuests(guests: readonly Guest[], busy: ReadonlySet<string>): Concern[] {
  return guests.flatMap((guest): Concern[] => {
    const { vmid, name, lock, qmpstatus } = guest
    if (qmpstatus && AILING.has(qmpstatus)) return [{ kind: 'guestError', vmid, name, status: qmpstatus }]
    // A lock that a running task holds is no concern.
    if (lock && !busy.has(String(vmid))) return [{ kind: 'guestLock', vmid, name, lock }]
    return []
  })
}

/** Consoles: that nobody connected, or that the guest went away, concerns nobody. */
const CONSOLES = /^(vncproxy|vncshell|termproxy|spiceproxy|spiceshell)$/

/** Tasks that failed within a day, newest first; of the same deed on the same thing only the last one counts. */
export function failures(tasks: Iterable<TaskInfo>, now: number): TaskInfo[] {
  const last = new Map<string, TaskInfo>()
  for (const task of [...tasks].sort((a, b) => a.starttime - b.starttime)) {
    if (outcome(task.status) !== 'running' && !CONSOLES.test(task.type))
      last.set(`${task.type} ${task.node} ${task.id}`, task)
  }
  return [...last.values()]
    .filter((task) => outcome(task.status) === 'error' && (task.endtime ?? task.starttime) > now - 86400)
    .sort((a, b) => b.starttime - a.starttime)
}

export const runningTasks = (tasks: Iterable<TaskInfo>): TaskInfo[] =>
  [...tasks].filter((task) => outcome(task.status) === 'running').sort((a, b) => b.starttime - a.starttime)

/** What needs somebody's attention, the gravest first. */
export function concerns(
  all: { nodes: readonly NodeRow[]; storages: readonly StorageRow[]; guests: readonly Guest[] },
  tasks: Iterable<TaskInfo>,
  now: number,
): Concern[] {
  const list = [...tasks]
  const busy = new Set(runningTasks(list).map(({ id }) => id))
  return [
    ...all.nodes
      .filter(({ status }) => status !== 'online')
      .map(({ node, status }): Concern => ({ kind: 'node', node, status })),
    ...ofStorages(all.storages),
    ...ofGuests(all.guests, busy),
    ...failures(list, now).map((task): Concern => ({ kind: 'task', task })),
  ]
}

/** A point of each moment, its values added up over several series. */
export function added(
  series: readonly (readonly Record<string, unknown>[])[],
  value: (point: Record<string, unknown>) => number | undefined,
): number[] {
  const sums = new Map<number, number>()
  for (const points of series)
    for (const point of points) {
      const one = value(point)
      if (one !== undefined && Number.isFinite(one))
        sums.set(Number(point.time), (sums.get(Number(point.time)) ?? 0) + one)
    }
  return [...sums].sort(([a], [b]) => a - b).map(([, sum]) => sum)
}

/** Changes that one task made one after the other, as one. */
export function byTask<R extends { upid?: string }>(rows: readonly R[]): R[] {
  return rows.filter((row, index) => row.upid === undefined || row.upid !== rows[index - 1]?.upid)
}
