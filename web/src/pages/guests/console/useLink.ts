/** A connection that is kept: lost ones are opened again, more and more slowly, and not while nobody looks. */
import { useCallback, useEffect, useState } from 'react'
import { ApiError } from '@/api/client'
import { explain } from '@/ui/act'

export interface Link {
  /** Resolves when it is over; rejects with the reason if there is one. */
  closed: Promise<void>
  close(): void
}

export type Phase =
  | { kind: 'off' }
  | { kind: 'connecting' }
  | { kind: 'open' }
  /** `again`: it is tried again by itself. */
  | { kind: 'lost'; reason: string; again: boolean }

const STEADY = 10_000

/** Milliseconds before the next attempt. */
export const delay = (failures: number): number => Math.min(1000 * 2 ** failures, 15_000)

const seen = (): Promise<void> =>
  document.visibilityState === 'visible'
    ? Promise.resolve()
    : new Promise((resolve) => document.addEventListener('visibilitychange', () => resolve(), { once: true }))

/** Keep what `open` opens while it is wanted. `open` must be stable; another one opens another connection. */
export function useLink(
  wanted: boolean,
  open: (signal: AbortSignal) => Promise<Link>,
): { phase: Phase; retry: () => void } {
  const [phase, setPhase] = useState<Phase>({ kind: 'off' })
  const [attempt, setAttempt] = useState(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt is another connection
  useEffect(() => {
    if (!wanted) {
      setPhase({ kind: 'off' })
      return
    }
    const stop = new AbortController()
    let timer = 0
    let link: Link | undefined
    async function run(failures: number): Promise<void> {
      setPhase({ kind: 'connecting' })
      const began = Date.now()
      let error: unknown
      try {
        link = await open(stop.signal)
        if (stop.signal.aborted) return link.close()
        setPhase({ kind: 'open' })
        await link.closed
      } catch (caught) {
        error = caught
      }
      if (stop.signal.aborted) return
      const again = !(error instanceof ApiError && error.status < 500)
      setPhase({ kind: 'lost', reason: error ? explain(error) : '', again })
      if (!again) return
      const next = Date.now() - began > STEADY ? 0 : failures
      timer = window.setTimeout(() => {
        void seen().then(() => (stop.signal.aborted ? undefined : run(next + 1)))
      }, delay(next))
    }
    // Not at once: what is taken back in the same moment must not open a session on the node.
    timer = window.setTimeout(() => void run(0), 0)
    setPhase({ kind: 'connecting' })
    return () => {
      stop.abort()
      window.clearTimeout(timer)
      link?.close()
    }
  }, [wanted, open, attempt])
  const retry = useCallback(() => setAttempt((before) => before + 1), [])
  return { phase, retry }
}
