/** Running tasks and those that ended a short while ago, as the event stream tells of them. */
import { call } from '@/api/client'
import { batched } from '@/live/frame'
import { createStore, useSelected, useStore } from '@/live/store'
import { onEvent, onJoin, type StreamEvent } from '@/live/stream'
import type { TaskInfo } from '@/live/types'

const KEPT = 200

type Tasks = ReadonlyMap<string, TaskInfo>

/** By UPID, oldest first. */
export const tasks = createStore<Tasks>(new Map())

/** The parts of a task's name. */
export function parseUpid(upid: string): Pick<TaskInfo, 'upid' | 'node' | 'type' | 'id' | 'user' | 'starttime'> {
  const [, node = '', , , start = '0', type = '', id = '', user = ''] = upid.split(':')
  return { upid, node, type, id, user, starttime: Number.parseInt(start, 16) }
}

export interface TaskEvent {
  upid: string
  running?: { phase?: string; waiting?: string; progress?: number; text?: string; awaited?: boolean }
  ended?: { status: string; endtime: number }
  hidden?: boolean
}

/** How a task ended, or that it has not. */
export type Outcome = 'running' | 'ok' | 'warning' | 'error'
export function outcome(status: string | undefined): Outcome {
  if (status === undefined || status === 'RUNNING') return 'running'
  if (status === 'OK') return 'ok'
  return status.startsWith('WARNINGS') ? 'warning' : 'error'
}

/** The tasks after some events. */
export function afterTaskEvents(before: Tasks, events: TaskEvent[]): Map<string, TaskInfo> {
  const after = new Map(before)
  for (const { upid, running, ended, hidden } of events) {
    if (hidden) after.delete(upid)
    else if (ended) {
      const { status, endtime } = ended
      after.set(upid, {
        ...(after.get(upid) ?? parseUpid(upid)),
        status,
        endtime,
        waiting: undefined,
        phase: undefined,
      })
    } else if (running && after.get(upid)?.status === undefined) {
      const { progress, text, waiting, phase = 'waiting' } = running
      after.set(upid, { ...parseUpid(upid), progress, text, waiting, phase })
    }
  }
  return trimmed(after)
}

/** Without the oldest of those that have ended, where there are too many. */
function trimmed(all: Map<string, TaskInfo>): Map<string, TaskInfo> {
  if (all.size <= KEPT) return all
  const ended = [...all.values()].filter((task) => task.status !== undefined)
  ended.sort((a, b) => (a.endtime ?? 0) - (b.endtime ?? 0))
  for (const { upid } of ended.slice(0, all.size - KEPT)) all.delete(upid)
  return all
}

interface TaskRow {
  upid: string
  status?: string
  endtime?: number
}

/** The tasks with a list that the API answered; what events told is newer. */
export function withRows(before: Tasks, rows: TaskRow[]): Map<string, TaskInfo> {
  const all = new Map(before)
  for (const { upid, status, endtime } of rows) {
    const known = all.get(upid)
    if (known?.status !== undefined) continue
    if (outcome(status) === 'running') all.set(upid, known ?? parseUpid(upid))
    else all.set(upid, { ...(known ?? parseUpid(upid)), status, endtime })
  }
  return trimmed(new Map([...all].sort(([, a], [, b]) => a.starttime - b.starttime)))
}

/** Those that we take for running and that a node's list of running tasks does not name: they ended unheard. */
export function unheard(before: Tasks, running: TaskEvent[]): string[] {
  const named = new Set(running.map((event) => event.upid))
  return [...before.values()]
    .filter((task) => task.status === undefined && !named.has(task.upid))
    .map(({ upid }) => upid)
}

const watchers = new Map<string, ((status: string) => void)[]>()

/** Resolves with the task's last word (`OK`, `WARNINGS: 1`, an error) when it has ended. */
export function whenEnded(upid: string): Promise<string> {
  const known = tasks.get().get(upid)?.status
  if (known !== undefined) return Promise.resolve(known)
  return new Promise((resolve) => watchers.set(upid, [...(watchers.get(upid) ?? []), resolve]))
}

function tell(upid: string, status: string): void {
  for (const resolve of watchers.get(upid) ?? []) resolve(status)
  watchers.delete(upid)
}

function take(next: Map<string, TaskInfo>): void {
  tasks.set(next)
  for (const upid of [...watchers.keys()]) {
    const status = next.get(upid)?.status
    if (status !== undefined) tell(upid, status)
  }
}

/** How a task stands that the stream says nothing of. */
async function look(upid: string): Promise<void> {
  const { node } = parseUpid(upid)
  const said = await call('GET /nodes/{node}/tasks/{upid}/status', { node, upid }).catch(() => null)
  if (said?.status !== 'stopped') return
  const endtime = Math.round(Date.now() / 1000)
  take(withRows(tasks.get(), [{ upid, status: said.exitstatus ?? 'OK', endtime }]))
}

async function recent(): Promise<void> {
  const rows = await call('GET /cluster/tasks', {}).catch(() => [])
  take(withRows(tasks.get(), rows))
}

/** The running tasks with how far they are, which no list tells, for a tab that joins. */
function running(): StreamEvent {
  const all = [...tasks.get().values()].filter((task) => task.status === undefined)
  const data = all.map(({ upid, ...task }) => ({ upid, running: task }))
  return { kind: 'task', id: '', data }
}

export function startTasks(): () => void {
  let waiting: TaskEvent[] = []
  const frame = batched(() => {
    const events = waiting
    waiting = []
    take(afterTaskEvents(tasks.get(), events))
    // Awaited tasks end hidden: no list will ever tell of them.
    for (const { upid, ended, hidden } of events) if (hidden && ended) tell(upid, ended.status)
  })
  const stops = [
    onEvent((event) => {
      if (event.kind === 'ready' || event.kind === 'reset') void recent()
      if (event.kind !== 'task') return
      if (Array.isArray(event.data)) {
        const list = event.data as TaskEvent[]
        for (const upid of unheard(tasks.get(), list)) void look(upid)
        waiting.push(...list)
      } else waiting.push(event.data as TaskEvent)
      frame.ask()
    }),
    onJoin(running),
    frame.cancel,
  ]
  void recent()
  return () => {
    for (const stop of stops) stop()
    tasks.set(new Map())
  }
}

export const useTasks = (): Tasks => useStore(tasks)
export const useTask = (upid: string): TaskInfo | undefined => useSelected(tasks, (all) => all.get(upid))

/** How many have not ended; answers the same number until that changes. */
export const useRunning = (): number =>
  useSelected(tasks, (all) => {
    let count = 0
    for (const task of all.values()) if (task.status === undefined) count += 1
    return count
  })
