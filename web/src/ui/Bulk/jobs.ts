/** Many calls for one wish: run a few at a time. */
import { ApiError, call, type Operation, type Params, Unreachable } from '@/api/client'
import { whenEnded } from '@/live/tasks'

/** One call of many. */
export interface Job {
  key: string
  /** Of what: `web-1 (100)`. */
  label: string
  operation: Operation
  params: Record<string, unknown>
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
