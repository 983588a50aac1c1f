/** What the log-in form does; how it looks is elsewhere. */
import { useReducer } from 'react'
import { keep, kept } from '@/api/kept'
import { LoginRefused, type LoginStep, logIn } from '@/api/session'

/** Who was here last: fills the form in. */
export interface Last {
  username: string
  realm: string
}
export const LAST = 'corral.last'
export const lastLogin = (): Last | null => kept<Last | null>(LAST, null)

/** Why it did not work; each has a text. */
export type Problem = 'refused' | 'factorRefused' | 'busy' | 'unreachable' | 'failed'

export type LoginState =
  | { step: 'password'; busy: boolean; problem?: Problem }
  | { step: 'factor'; busy: boolean; problem?: Problem; username: string; challenge: string }

export type LoginEvent =
  | { type: 'sent' }
  | { type: 'answered'; step: LoginStep }
  | { type: 'failed'; problem: Problem }
  | { type: 'back' }

export const START: LoginState = { step: 'password', busy: false }

export function loginAfter(state: LoginState, event: LoginEvent): LoginState {
  if (event.type === 'sent') return { ...state, busy: true, problem: undefined }
  if (event.type === 'failed') return { ...state, busy: false, problem: event.problem }
  if (event.type === 'back' || event.step.kind === 'open') return START
  const { username, challenge } = event.step
  return { step: 'factor', busy: false, username, challenge }
}

export function problemOf(error: unknown, step: LoginState['step']): Problem {
  if (!(error instanceof LoginRefused)) return 'unreachable'
  if (error.status === 401) return step === 'factor' ? 'factorRefused' : 'refused'
  return error.status === 429 || error.status === 503 ? 'busy' : 'failed'
}

/** `joe@pve` typed into the name's field means that realm. */
export function splitUser(typed: string, realm: string, realms: readonly string[]): Last {
  const at = typed.lastIndexOf('@')
  const named = typed.slice(at + 1)
  if (at > 0 && realms.includes(named)) return { username: typed.slice(0, at).trim(), realm: named }
  return { username: typed.trim(), realm }
}

export interface Given extends Last {
  password: string
  remember: boolean
}

export function useLogin(onOpen: () => void) {
  const [state, dispatch] = useReducer(loginAfter, START)

  async function send(given: Given, challenge?: string): Promise<void> {
    dispatch({ type: 'sent' })
    try {
      const step = await logIn({ ...given, challenge })
      dispatch({ type: 'answered', step })
      if (step.kind !== 'open') return
      keep(LAST, { username: given.username, realm: given.realm } satisfies Last)
      onOpen()
    } catch (error) {
      dispatch({ type: 'failed', problem: problemOf(error, state.step) })
    }
  }

  return { state, send, back: () => dispatch({ type: 'back' }) }
}
