/** The browser and the node, as the stream sees them. */
import { sessionRefused } from '@/api/session'
import { backoff, readFrames, StreamRefused } from '@/live/sse'
import { type Channel, isKind, type Outside } from '@/live/stream'

const NOBODY: Channel = { postMessage: () => undefined, close: () => undefined, onmessage: null }

export const browser: Outside = {
  read: (since, signal, onOpen, take) =>
    readFrames(`/api2/json/cluster/events${since ? `?since=${encodeURIComponent(since)}` : ''}`, {
      signal,
      onOpen,
      onFrame: ({ event, id, data }) => {
        if (isKind(event)) take({ kind: event, id, data: JSON.parse(data) })
      },
    }),
  backoff,
  refused: async (error) => {
    if (error instanceof StreamRefused && error.status === 401) await sessionRefused()
  },
  locks: navigator.locks,
  channel: () => ('BroadcastChannel' in window ? new BroadcastChannel('corral.stream') : NOBODY),
}
