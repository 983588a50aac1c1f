/** The tasks of a list: those that run, from events, and the archive, as the server pages it. */
import { outcome } from '@/live/tasks'
import type { TaskInfo } from '@/live/types'

export type State = 'running' | 'ok' | 'warning' | 'error'
export const STATES: readonly State[] = ['running', 'ok', 'warning', 'error']

export const AGES = { '1h': 3600, '24h': 86_400, '7d': 604_800, '30d': 2_592_000 } as const
export type Age = keyof typeof AGES
export const isAge = (text: string | undefined): text is Age => text !== undefined && text in AGES

/** What is asked for. */
export interface Wish {
  states: readonly string[]
  type?: string
  user?: string
  id?: string
  node?: string
  since?: number
}

type Filters = Readonly<Record<string, readonly string[]>>

export function wishOf(filters: Filters, now: number): Wish {
  const first = (name: string) => filters[name]?.[0]
  const age = first('start')
  return {
    states: filters.status ?? [],
    type: first('type'),
    user: first('user'),
    id: first('id'),
    node: first('node'),
    // By the minute, so that asking twice is asking the same.
    since: isAge(age) ? Math.floor(now / 60) * 60 - AGES[age] : undefined,
  }
}

const ended = (wish: Wish): string[] => wish.states.filter((state) => state !== 'running')

/** Whether the archive has to be asked: running tasks are known already. */
export const asksArchive = (wish: Wish): boolean => wish.states.length === 0 || ended(wish).length > 0

/** The wish as the call's parameters; a guest's number only if it is one. */
export const archiveParams = (wish: Wish) => ({
  source: 'archive' as const,
  typefilter: wish.type,
  userfilter: wish.user,
  vmid: wish.id !== undefined && /^\d+$/.test(wish.id) ? Number(wish.id) : undefined,
  since: wish.since,
  statusfilter: ended(wish).join(',') || undefined,
})

export const stateOf = (task: Pick<TaskInfo, 'status'>): State => outcome(task.status)

/** Whether a task that events told of is wanted. */
export function wanted(task: TaskInfo, wish: Wish): boolean {
  if (wish.node !== undefined && task.node !== wish.node) return false
  if (wish.states.length > 0 && !wish.states.includes(stateOf(task))) return false
  if (wish.type !== undefined && task.type !== wish.type) return false
  if (wish.user !== undefined && !task.user.includes(wish.user)) return false
  if (wish.id !== undefined && task.id !== wish.id) return false
  return wish.since === undefined || task.starttime >= wish.since
}

/**
 * One list, running tasks first, then the newest. What events told is newer than what was read. Ended tasks of other nodes
 * than the archive's are left out, as theirs would only be there by chance.
 */
export function merged(
  live: Iterable<TaskInfo>,
  archive: readonly TaskInfo[],
  wish: Wish,
  archiveNode: string,
): TaskInfo[] {
  const known = new Map(archive.map((task) => [task.upid, task]))
  for (const task of live)
    if (wanted(task, wish) && (task.status === undefined || task.node === archiveNode)) known.set(task.upid, task)
  const rank = (task: TaskInfo) => (task.status === undefined ? 1 : 0)
  return [...known.values()].sort((a, b) => rank(b) - rank(a) || b.starttime - a.starttime)
}
