/** Changing calls from anywhere: errors are shown, tasks are followed by a toast that links to them, nothing waits. */
import { notifications } from '@mantine/notifications'
import i18next from 'i18next'
import { ApiError, call, type Operation, type Params, type Result, Unreachable } from '@/api/client'
import { whenEnded } from '@/live/tasks'

export const isUpid = (value: unknown): value is string => typeof value === 'string' && value.startsWith('UPID:')

/** What an error says, in words for people. */
export function explain(error: unknown): string {
  if (error instanceof Unreachable) return i18next.t('shell:unreachable', { defaultValue: 'The node does not answer.' })
  if (error instanceof ApiError) {
    const details = Object.entries(error.errors).map(([name, text]) => `${name}: ${text}`)
    return [error.message, ...details].join('\n')
  }
  return error instanceof Error ? error.message : String(error)
}

export function showError(title: string, error: unknown): void {
  notifications.show({ title, message: explain(error), color: 'red', autoClose: 10000 })
}

/** A toast for a task: it says how the task ends. Replaced by the tasks area with one that links and shows progress. */
export function followTask(title: string, upid: string): void {
  notifications.show({ id: upid, title, message: i18next.t('common:loading'), loading: true, autoClose: false })
  void whenEnded(upid).then((status) => {
    const good = status === 'OK' || status.startsWith('WARNINGS')
    notifications.update({
      id: upid,
      title,
      message: status,
      loading: false,
      color: good ? 'green' : 'red',
      autoClose: good ? 4000 : 15000,
    })
  })
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
