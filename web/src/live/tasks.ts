/** Running tasks and those that ended a short while ago, as the event stream tells of them. */
import { createStore, useSelected, useStore } from '@/live/store'
import { onEvent } from '@/live/stream'
import type { TaskInfo } from '@/live/types'

const KEPT = 200

/** By UPID, newest last. */
export const tasks = createStore<ReadonlyMap<string, TaskInfo>>(new Map())

/** The parts of a task's name. */
export function parseUpid(upid: string): Pick<TaskInfo, 'upid' | 'node' | 'type' | 'id' | 'user' | 'starttime'> {
  const [, node = '', , , start = '0', type = '', id = '', user = ''] = upid.split(':')
  return { upid, node, type, id, user, starttime: Number.parseInt(start, 16) }
}

interface TaskEvent {
  upid: string
  running?: { phase?: string; waiting?: string; progress?: number; text?: string; awaited?: boolean }
  ended?: { status: string; endtime: number }
  hidden?: boolean
}

/** The tasks after some events. */
export function afterTaskEvents(before: ReadonlyMap<string, TaskInfo>, events: TaskEvent[]): Map<string, TaskInfo> {
  const after = new Map(before)
  for (const { upid, running, ended, hidden } of events) {
    if (hidden) after.delete(upid)
    else if (ended) after.set(upid, { ...(after.get(upid) ?? parseUpid(upid)), ...ended, waiting: undefined })
    else if (running) {
      const { progress, text, waiting } = running
      after.set(upid, { ...parseUpid(upid), progress, text, waiting })
    }
  }
  for (const upid of after.keys()) {
    if (after.size <= KEPT) break
    if (after.get(upid)?.status !== undefined) after.delete(upid)
  }
  return after
}

const watchers = new Map<string, ((status: string) => void)[]>()

/** Resolves with the task's last word (`OK`, `WARNINGS: 1`, an error) when it has ended. */
export function whenEnded(upid: string): Promise<string> {
  const known = tasks.get().get(upid)?.status
  if (known !== undefined) return Promise.resolve(known)
  return new Promise((resolve) => watchers.set(upid, [...(watchers.get(upid) ?? []), resolve]))
}

export function startTasks(): () => void {
  return onEvent((event) => {
    if (event.kind !== 'task') return
    const events = (Array.isArray(event.data) ? event.data : [event.data]) as TaskEvent[]
    tasks.set(afterTaskEvents(tasks.get(), events))
    for (const { upid, ended } of events) {
      if (!ended) continue
      for (const resolve of watchers.get(upid) ?? []) resolve(ended.status)
      watchers.delete(upid)
    }
  })
}

export const useTasks = (): ReadonlyMap<string, TaskInfo> => useStore(tasks)
export const useTask = (upid: string): TaskInfo | undefined => useSelected(tasks, (all) => all.get(upid))
