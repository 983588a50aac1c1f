/** Who is logged in. The ticket is a cookie that no script can read; this module holds the CSRF token in memory only. */
import { useSyncExternalStore } from 'react'

export interface Session {
  username: string
  csrf: string
  /** Unix seconds at which the ticket ends unless it is renewed. */
  expires: number
  /** What the user may do somewhere, by area: `{ vms: { 'VM.PowerMgmt': 1 } }`. */
  cap: Record<string, Record<string, number>>
}

/** `unknown` until the first answer; `lost`: there was one, and what is open stays open behind the dialog. */
export type SessionState =
  | { kind: 'unknown' }
  | { kind: 'none' }
  | { kind: 'open'; session: Session }
  | { kind: 'lost'; session: Session }

let state: SessionState = { kind: 'unknown' }
const listeners = new Set<() => void>()

function set(next: SessionState): void {
  state = next
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const sessionState = (): SessionState => state
export const useSession = (): SessionState => useSyncExternalStore(subscribe, sessionState)
export const csrf = (): string => (state.kind === 'open' || state.kind === 'lost' ? state.session.csrf : '')

/** The API has refused the ticket. */
export function sessionLost(): void {
  if (state.kind === 'open') set({ kind: 'lost', session: state.session })
}

interface Answer {
  username: string
  CSRFPreventionToken: string
  expires: number
  cap: Session['cap']
}

function taken(answer: Answer): void {
  const { username, CSRFPreventionToken, expires, cap } = answer
  set({ kind: 'open', session: { username, csrf: CSRFPreventionToken, expires, cap } })
}

async function ask(method: string, body?: Record<string, unknown>): Promise<Answer | null> {
  const headers: Record<string, string> = { Accept: 'application/json', CSRFPreventionToken: csrf() }
  if (body) headers['Content-Type'] = 'application/json'
  const response = await fetch('/api2/json/access/session', {
    method,
    headers,
    credentials: 'same-origin',
    body: body ? JSON.stringify(body) : null,
  })
  if (!response.ok) throw new LoginRefused(response.status)
  return ((await response.json()) as { data: Answer | null }).data
}

/** Logging in was refused; `status` 401 for wrong credentials. */
export class LoginRefused extends Error {
  constructor(readonly status: number) {
    super('log-in refused')
  }
}

/** Find out at the start whether the browser has a session. */
export async function restoreSession(): Promise<void> {
  try {
    const answer = await ask('GET')
    if (answer) taken(answer)
    else set({ kind: 'none' })
  } catch {
    set({ kind: 'none' })
  }
}

export async function logIn(username: string, realm: string, password: string, remember: boolean): Promise<void> {
  const answer = await ask('POST', { username, realm, password, remember })
  if (answer) taken(answer)
}

/** Before it ends, with the cookie as credential. */
export async function renewSession(): Promise<void> {
  try {
    const answer = await ask('PUT', {})
    if (answer) taken(answer)
  } catch (error) {
    if (error instanceof LoginRefused && error.status === 401) sessionLost()
  }
}

export async function logOut(): Promise<void> {
  await ask('DELETE').catch(() => null)
  set({ kind: 'none' })
}

/** Whether the user has a privilege somewhere: enough to hide what can't work; the API decides. */
export function useMay(area: string, privilege: string): boolean {
  const now = useSession()
  return now.kind === 'open' || now.kind === 'lost' ? now.session.cap[area]?.[privilege] === 1 : false
}
