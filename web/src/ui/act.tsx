/** Changing calls from anywhere: errors are shown, tasks are followed by a toast that links to them, nothing waits. */
import { Text } from '@mantine/core'
import { notificationsStore } from '@mantine/notifications'
import i18next from 'i18next'
import { ApiError, call, type Operation, type Params, type Result, Unreachable } from '@/api/client'
import { outcome, whenEnded } from '@/live/tasks'
import { notify } from '@/ui/notify'
import { TasksToast, TaskToast } from '@/ui/TaskToast'
import { type Toast, withTask } from '@/ui/toasts'

export const isUpid = (value: unknown): value is string => typeof value === 'string' && value.startsWith('UPID:')

/** What an error says, in words for people. */
export function explain(error: unknown): string {
  if (error instanceof Unreachable) return i18next.t('shell:unreachable')
  if (error instanceof ApiError) {
    const details = Object.entries(error.errors).map(([name, text]) => `${name}: ${text}`)
    return [error.message, ...details].join('\n')
  }
  return error instanceof Error ? error.message : String(error)
}

/** At most so many toasts at once; `Notifications` in `main.tsx` has the same limit. */
const MOST = 4
const FADES = 4000

/** The oldest that only waits to be closed makes room: what it says is in the list of tasks too. */
function makeRoom(): void {
  const shown = notificationsStore.getState().notifications
  if (shown.length < MOST) return
  const oldest = shown.find((each) => !each.loading)
  if (oldest?.id) notify.hide(oldest.id)
}

/** An error stays until it is closed. */
export function showError(title: string, error: unknown): void {
  makeRoom()
  const message = (
    <Text size="sm" c="var(--mantine-color-text)" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
      {explain(error)}
    </Text>
  )
  notify.show({ title, message, color: 'red', autoClose: false })
}

let toasts: readonly Toast[] = []

/** A toast for a task: what it does, how far it is, how it ended, and the way to its log. */
export function followTask(title: string, upid: string): void {
  const next = withTask(toasts, { upid, title, at: Date.now() })
  toasts = next.toasts
  for (const id of next.gone) notify.hide(id)
  draw(next.shown, 'running')
  void whenEnded(upid).then((status) => ended(upid, outcome(status)))
}

function draw(toast: Toast, end: ReturnType<typeof outcome>): void {
  const [first] = toast.tasks
  if (!first) return
  const one = toast.tasks.length === 1
  const failed = end === 'error'
  const data = {
    id: toast.id,
    title: one ? first.title : i18next.t('tasks:toast.many', { count: toast.tasks.length }),
    message: one ? <TaskToast upid={first.upid} /> : <TasksToast upids={toast.tasks.map((task) => task.upid)} />,
    loading: end === 'running',
    color: end === 'running' ? undefined : failed ? 'red' : end === 'warning' ? 'yellow' : 'green',
    autoClose: end === 'ok' || end === 'warning' ? FADES : (false as const),
  }
  const there = notificationsStore.getState()
  if ([...there.notifications, ...there.queue].some((each) => each.id === toast.id)) notify.update(data)
  else if (end === 'running' || failed) {
    makeRoom()
    notify.show(data)
  }
}

const ends = new Map<string, ReturnType<typeof outcome>>()

/** A task has ended: so has its toast, when all of its tasks have. */
function ended(upid: string, end: ReturnType<typeof outcome>): void {
  ends.set(upid, end)
  const toast = toasts.find((each) => each.tasks.some((task) => task.upid === upid))
  if (!toast) return
  const all = toast.tasks.map((task) => ends.get(task.upid) ?? 'running')
  if (all.includes('running')) return
  toasts = toasts.filter((each) => each !== toast)
  for (const task of toast.tasks) ends.delete(task.upid)
  draw(toast, all.includes('error') ? 'error' : all.includes('warning') ? 'warning' : 'ok')
}

/** Run a changing call; answers its result, or undefined after having shown the error. */
export async function act<O extends Operation>(
  title: string,
  operation: O,
  params: Params<O>,
  options: { apply?: string } = {},
): Promise<Result<O> | undefined> {
  try {
    const result = await call(operation, params, { ...options, idempotencyKey: crypto.randomUUID() })
    if (isUpid(result)) followTask(title, result)
    return result
  } catch (error) {
    showError(title, error)
    return undefined
  }
}
