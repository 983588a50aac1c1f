/** What a task is called, what it works on, and how it stands, in words. */
import i18next from 'i18next'
import { inventory } from '@/live/inventory'
import { outcome } from '@/live/tasks'
import type { TaskInfo } from '@/live/types'
import { en } from '@/locales/en'
import { guestRef, nodeRef, type Ref, storageRef } from '@/shell/refs'

type Type = keyof typeof en.tasks.types
type Named = Pick<TaskInfo, 'type' | 'id' | 'node'>

const known = (type: string): type is Type => Object.hasOwn(en.tasks.types, type)

/** `Start VM 100 (web)`. */
export function taskTitle({ type, id }: Pick<TaskInfo, 'type' | 'id'>): string {
  const name = /^\d+$/.test(id) ? inventory.get().guests.get(Number(id))?.name : undefined
  const what = name && name !== `VM ${id}` ? `${id} (${name})` : id
  const key = known(type) ? type : 'other'
  return i18next.t(`tasks:types.${key}`, { id: what, type }).trim()
}

/** The thing it works on, where it has a page. */
export function objectOf({ type, id, node }: Named): { ref: Ref; name: string } {
  if (/^\d+$/.test(id))
    return { ref: guestRef(Number(id)), name: inventory.get().guests.get(Number(id))?.name ?? `VM ${id}` }
  if (/^(img|download|prune)/.test(type) && inventory.get().storages.has(`${node}/${id}`))
    return { ref: storageRef(node, id), name: id }
  return { ref: nodeRef(node), name: node }
}

export type Standing = 'running' | 'waiting' | 'undoing' | 'ok' | 'warning' | 'error'

export function standing(task: Pick<TaskInfo, 'status' | 'phase' | 'waiting'>): Standing {
  const ended = outcome(task.status)
  if (ended !== 'running') return ended
  if (task.phase === 'undoing') return 'undoing'
  return task.phase === 'waiting' ? 'waiting' : 'running'
}

/** As `StatusDot` colours it. */
export const DOT: Record<Standing, string> = {
  running: 'busy',
  waiting: 'paused',
  undoing: 'paused',
  ok: 'OK',
  warning: 'paused',
  error: 'error',
}
