/**
 * The node's events, one connection for all tabs of a browser: the tab that holds the lock reads them and passes them on
 * by a channel. Every tab notes the last revision, so whichever takes over resumes from there. After sleep, a change of
 * network or a restarted server the stream is resumed too; what was missed for too long comes as `reset`.
 */
import { createStore } from '@/live/store'

export type Kind = 'ready' | 'reset' | 'change' | 'status' | 'task'
export interface StreamEvent {
  kind: Kind
  id: string
  data: unknown
}

/** `connecting` at the start, `live`, or `lost` with the moment (ms) since when. */
export type Connection = { kind: 'connecting' } | { kind: 'live' } | { kind: 'lost'; since: number }

export const connection = createStore<Connection>({ kind: 'connecting' })

const KINDS: ReadonlySet<string> = new Set<Kind>(['ready', 'reset', 'change', 'status', 'task'])
const listeners = new Set<(event: StreamEvent) => void>()
const snapshots = new Set<() => StreamEvent | null>()

/** Hear every event; answers the function that ends it. */
export function onEvent(listener: (event: StreamEvent) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** What a tab that has just been opened must hear and can't read from the API; answers the function that ends it. */
export function onJoin(snapshot: () => StreamEvent | null): () => void {
  snapshots.add(snapshot)
  return () => snapshots.delete(snapshot)
}

function emit(event: StreamEvent): void {
  for (const listener of listeners) listener(event)
}

/** One read of the stream from a revision (empty: from now). Resolves when the server ends it, rejects when it breaks. */
export type Reader = (
  since: string,
  signal: AbortSignal,
  opened: () => void,
  take: (event: StreamEvent) => void,
) => Promise<void>

/** The outside of the stream: a test has its own. */
export interface Outside {
  read: Reader
  backoff: (attempt: number) => number
  /** If it is the ticket that was refused: resolves when somebody has logged in again. */
  refused: (error: unknown) => Promise<void>
  locks: Pick<LockManager, 'request'> | undefined
  channel: () => Channel
}

export type Channel = Pick<BroadcastChannel, 'postMessage' | 'close'> & {
  onmessage: ((message: MessageEvent) => unknown) | null
}

type Message =
  | { type: 'event'; event: StreamEvent }
  | { type: 'state'; state: Connection }
  | { type: 'join' }
  | { type: 'welcome'; last: string; state: Connection; events: StreamEvent[] }

const LOCK = 'corral.stream'

/** Read events until the returned function is called. */
export function startStream(outside: Outside): () => void {
  const ended = new AbortController()
  const channel = outside.channel()
  let last = ''
  let leading = false
  let welcomed = false
  let attempt = 0
  let wake: () => void = () => undefined

  const post = (message: Message) => channel.postMessage(message)

  function state(next: Connection): void {
    connection.set(next)
    if (leading) post({ type: 'state', state: next })
  }

  function lost(): void {
    if (connection.get().kind !== 'lost') state({ kind: 'lost', since: Date.now() })
  }

  function take(event: StreamEvent): void {
    if (event.id) last = event.id
    emit(event)
  }

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.type === 'join' && leading) {
      const events = [...snapshots].map((snapshot) => snapshot()).filter((event) => event !== null)
      post({ type: 'welcome', last, state: connection.get(), events })
    } else if (leading) return
    else if (data.type === 'event') take(data.event)
    else if (data.type === 'state') connection.set(data.state)
    else if (data.type === 'welcome' && !welcomed) {
      welcomed = true
      last = data.last
      connection.set(data.state)
      for (const event of data.events) emit(event)
    }
  }

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  async function once(): Promise<void> {
    const opened = () => {
      attempt = 0
      state({ kind: 'live' })
    }
    await outside.read(last, ended.signal, opened, (event) => {
      take(event)
      post({ type: 'event', event })
    })
  }

  async function lead(): Promise<void> {
    leading = true
    while (!ended.signal.aborted) {
      try {
        await once()
      } catch (error) {
        if (ended.signal.aborted) return
        lost()
        await outside.refused(error)
      }
      if (ended.signal.aborted) return
      lost()
      attempt += 1
      await pause(outside.backoff(attempt))
    }
  }

  const atOnce = () => {
    if (document.visibilityState === 'visible') wake()
  }
  window.addEventListener('online', atOnce)
  document.addEventListener('visibilitychange', atOnce)

  if (outside.locks) {
    post({ type: 'join' })
    outside.locks.request(LOCK, { signal: ended.signal }, lead).catch(() => undefined)
  } else void lead()

  return () => {
    ended.abort()
    wake()
    window.removeEventListener('online', atOnce)
    document.removeEventListener('visibilitychange', atOnce)
    channel.close()
  }
}

export const isKind = (name: string): name is Kind => KINDS.has(name)
