/**
 * The node's events, one connection for all tabs of a browser: the tab that holds the lock reads them and passes them on.
 * After sleep, a change of network or a restarted server the stream is resumed from the last revision seen.
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

const KINDS: readonly Kind[] = ['ready', 'reset', 'change', 'status', 'task']
const listeners = new Set<(event: StreamEvent) => void>()

/** Hear every event; answers the function that ends it. */
export function onEvent(listener: (event: StreamEvent) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function emit(event: StreamEvent): void {
  for (const listener of listeners) listener(event)
}

/** Read events until the returned function is called. */
export function startStream(): () => void {
  let source: EventSource | null = null
  let last = ''
  let stopped = false
  let timer = 0

  function open(): void {
    source?.close()
    source = new EventSource(`/api2/json/cluster/events${last ? `?since=${encodeURIComponent(last)}` : ''}`)
    source.onopen = () => connection.set({ kind: 'live' })
    source.onerror = () => {
      source?.close()
      if (connection.get().kind !== 'lost') connection.set({ kind: 'lost', since: Date.now() })
      if (!stopped) timer = window.setTimeout(open, 1000)
    }
    for (const kind of KINDS) {
      source.addEventListener(kind, (message: MessageEvent<string>) => {
        if (message.lastEventId) last = message.lastEventId
        emit({ kind, id: message.lastEventId, data: JSON.parse(message.data) })
      })
    }
  }

  open()
  return () => {
    stopped = true
    window.clearTimeout(timer)
    source?.close()
  }
}
