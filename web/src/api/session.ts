/**
 * Who is logged in. The ticket is a cookie that no script can read; this module holds the CSRF token in memory only. All
 * tabs of a browser share the cookie, so they tell one another of log-in, renewal and log-out.
 */
import { useSyncExternalStore } from 'react'
import { keep, kept } from '@/api/kept'

export interface Session {
  username: string
  csrf: string
  /** When (ms of this computer's clock) the ticket ends unless it is renewed. */
  until: number
  /** What the user may do somewhere, by area: `{ vms: { 'VM.PowerMgmt': 1 } }`. */
  cap: Record<string, Record<string, number>>
}

/** `unknown` until the first answer; `lost`: there was one, and what is open stays open behind the dialog. */
export type SessionState =
  | { kind: 'unknown' }
  | { kind: 'none' }
  | { kind: 'open'; session: Session }
  | { kind: 'lost'; session: Session }

/** What comes after name and password. */
export type LoginStep = { kind: 'open' } | { kind: 'factor'; username: string; challenge: string }

interface Answer {
  username: string
  CSRFPreventionToken: string
  expires: number
  cap: Session['cap']
  /** Set instead of a session where a second factor is wanted. */
  NeedTFA?: number
  challenge?: string
}

type Message = { type: 'in'; session: Session } | { type: 'out' }

let state: SessionState = { kind: 'unknown' }
const listeners = new Set<() => void>()
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('corral.session') : null

function set(next: SessionState): void {
  state = next
  for (const listener of [...listeners]) listener()
}

export function onSession(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const sessionState = (): SessionState => state
export const useSession = (): SessionState => useSyncExternalStore(onSession, sessionState)
export const csrf = (): string => (state.kind === 'open' || state.kind === 'lost' ? state.session.csrf : '')

/** Other tabs have logged in, renewed or logged out. */
export function hear(message: Message): void {
  if (message.type === 'out') set({ kind: 'none' })
  else set({ kind: 'open', session: message.session })
}

if (channel) channel.onmessage = ({ data }: MessageEvent<Message>) => hear(data)

/** The API has refused the ticket. */
export function sessionLost(): void {
  if (state.kind === 'open') set({ kind: 'lost', session: state.session })
}

function taken(answer: Answer, serverNow: number): void {
  const { username, CSRFPreventionToken, expires, cap } = answer
  // The node's clock may differ from this one: what counts is how long the ticket still lasts.
  const until = Date.now() + expires * 1000 - serverNow
  const session = { username, csrf: CSRFPreventionToken, until, cap }
  set({ kind: 'open', session })
  channel?.postMessage({ type: 'in', session } satisfies Message)
}

interface Said {
  answer: Answer | null
  serverNow: number
}

async function ask(method: string, body?: Record<string, unknown>): Promise<Said> {
  const headers: Record<string, string> = { Accept: 'application/json', CSRFPreventionToken: csrf() }
  if (body) headers['Content-Type'] = 'application/json'
  const response = await fetch('/api2/json/access/session', {
    method,
    headers,
    credentials: 'same-origin',
    body: body ? JSON.stringify(body) : null,
  })
  if (!response.ok) throw new LoginRefused(response.status)
  const serverNow = Date.parse(response.headers.get('date') ?? '') || Date.now()
  return { answer: ((await response.json()) as { data: Answer | null }).data, serverNow }
}

/** Logging in was refused; `status` 401 for wrong credentials. */
export class LoginRefused extends Error {
  constructor(readonly status: number) {
    super('log-in refused')
  }
}

/** A log-out that the node has not heard of: the cookie is still there, and only the node can take it away. */
const LEAVING = 'corral.leaving'

async function dropCookie(): Promise<void> {
  keep(LEAVING, true)
  await ask('DELETE')
  keep(LEAVING, false)
}

/** Find out at the start whether the browser has a session. */
export async function restoreSession(): Promise<void> {
  try {
    if (kept(LEAVING, false)) await dropCookie()
    const { answer, serverNow } = await ask('GET')
    if (answer) taken(answer, serverNow)
    else set({ kind: 'none' })
  } catch {
    set({ kind: 'none' })
  }
}

export const REMEMBER = 'corral.remember'

interface Credentials {
  username: string
  realm: string
  password: string
  remember: boolean
  challenge?: string
}

/** Log in, or answer to the challenge of a second factor (`password` is then `totp:123456`). */
export async function logIn({ challenge, ...given }: Credentials): Promise<LoginStep> {
  const body = challenge ? { ...given, 'tfa-challenge': challenge } : given
  const { answer, serverNow } = await ask('POST', body)
  if (answer?.NeedTFA && answer.challenge)
    return { kind: 'factor', username: answer.username, challenge: answer.challenge }
  keep(REMEMBER, given.remember)
  keep(LEAVING, false)
  if (answer) taken(answer, serverNow)
  return { kind: 'open' }
}

/** Before it ends, with the cookie as credential. */
export async function renewSession(): Promise<void> {
  try {
    const { answer, serverNow } = await ask('PUT', { remember: kept(REMEMBER, false) })
    // Who has logged out meanwhile must not be logged in again by an answer that was under way.
    if (state.kind === 'none') await dropCookie().catch(() => null)
    else if (answer) taken(answer, serverNow)
  } catch (error) {
    if (error instanceof LoginRefused && error.status === 401) void sessionRefused()
  }
}

export async function logOut(): Promise<void> {
  await dropCookie().catch(() => null)
  set({ kind: 'none' })
  channel?.postMessage({ type: 'out' } satisfies Message)
}

let asking: Promise<boolean> | null = null

/**
 * A call was refused with 401. Another tab may have renewed meanwhile: then the call may be repeated at once. Else the
 * session is lost, and the call waits until somebody has logged in: true; false when they left instead, or are another.
 */
export function sessionRefused(): Promise<boolean> {
  if (state.kind !== 'open' && state.kind !== 'lost') return Promise.resolve(false)
  asking ??= recover().finally(() => {
    asking = null
  })
  return asking
}

async function recover(): Promise<boolean> {
  const before = state
  if (before.kind !== 'open' && before.kind !== 'lost') return false
  if (before.kind === 'open') {
    const said = await ask('GET').catch(() => null)
    if (said === null) return false
    if (said.answer) {
      taken(said.answer, said.serverNow)
      return said.answer.username === before.session.username
    }
    sessionLost()
  }
  return reopened(before.session.username)
}

/** Resolves when the lost session is open again (true if for the same user) or given up. */
function reopened(username: string): Promise<boolean> {
  return new Promise((resolve) => {
    const look = () => {
      if (state.kind === 'lost') return
      leave()
      resolve(state.kind === 'open' && state.session.username === username)
    }
    const leave = onSession(look)
    look()
  })
}

const EARLY = 30 * 60 * 1000
const LOOK = 60 * 1000

/** Whether it is time to renew. */
export const due = (now: SessionState, at: number): boolean => now.kind === 'open' && now.session.until - at < EARLY

/** Renew the ticket in time, one tab for all; answers the function that ends it. */
export function startRenewal(): () => void {
  const look = async () => {
    if (!due(state, Date.now())) return
    if (state.kind === 'open' && state.session.until < Date.now()) void sessionRefused()
    else if (!navigator.locks) await renewSession()
    else
      await navigator.locks.request('corral.renew', { ifAvailable: true }, async (lock) => {
        if (lock && due(state, Date.now())) await renewSession()
      })
  }
  const soon = () => void look()
  const timer = window.setInterval(soon, LOOK)
  document.addEventListener('visibilitychange', soon)
  window.addEventListener('online', soon)
  soon()
  return () => {
    window.clearInterval(timer)
    document.removeEventListener('visibilitychange', soon)
    window.removeEventListener('online', soon)
  }
}

/** Whether the user has a privilege somewhere: enough to hide what can't work; the API decides. */
export function useMay(area: string, privilege: string): boolean {
  const now = useSession()
  return now.kind === 'open' || now.kind === 'lost' ? now.session.cap[area]?.[privilege] === 1 : false
}
