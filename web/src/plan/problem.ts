/** What a failed review or change means for the dialog. Pure. */
import { ApiError, Unreachable } from '@/api/client'

export type Problem =
  /** The plan is an hour old, or what it was made from is not as it was: look again. */
  | { kind: 'stale'; message: string }
  /** This call has no plan. */
  | { kind: 'unplannable'; reason: string }
  /** Whether it happened is not known. */
  | { kind: 'unreachable' }
  /** Refused: in general, and by parameter. */
  | { kind: 'refused'; message: string; errors: Record<string, string> }
  /** The form isn't complete, or a fault of the page. */
  | { kind: 'incomplete'; message: string }

const STALE = /(has changed|has been taken) since the plan was made|older than an hour/
const NEVER = /this call can't be planned: (.*)/s

export function problemOf(error: unknown): Problem {
  if (error instanceof Unreachable) return { kind: 'unreachable' }
  if (!(error instanceof ApiError)) {
    return { kind: 'incomplete', message: error instanceof Error ? error.message : String(error) }
  }
  const reason = NEVER.exec(error.errors['corral-plan'] ?? '')?.[1]
  if (reason !== undefined) return { kind: 'unplannable', reason }
  const told = error.errors['corral-apply'] ?? error.message
  if (error.errors['corral-apply'] || STALE.test(told)) return { kind: 'stale', message: told }
  return { kind: 'refused', message: error.message, errors: error.errors }
}

/**
 * Whether the call may have been done though it failed: then it is sent again under the same Idempotency-Key. A gateway
 * that lost its node answers 59x; everything else that the API says is final.
 */
export const outcomeUnknown = (error: unknown): boolean =>
  error instanceof Unreachable || (error instanceof ApiError && error.status >= 502)

/** The key under which these parameters are sent; another one for others, and after a definite answer. */
export class Keys {
  private sent = ''
  private key = ''

  for(operation: string, params: unknown): string {
    const wanted = JSON.stringify([operation, params])
    if (this.key === '' || wanted !== this.sent) {
      this.key = crypto.randomUUID()
      this.sent = wanted
    }
    return this.key
  }

  /** The outcome is known. */
  done(): void {
    this.key = ''
  }
}
