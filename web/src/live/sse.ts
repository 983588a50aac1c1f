/** Server-sent events read by `fetch`: unlike EventSource it tells a refused ticket from a network that is away. */
export interface Frame {
  event: string
  id: string
  data: string
}

/** A function that takes text as it comes, in whatever pieces, and calls `take` with each whole event. */
export function frameParser(take: (frame: Frame) => void): (piece: string) => void {
  let rest = ''
  let frame: Frame = { event: 'message', id: '', data: '' }
  let some = false

  function line(text: string): void {
    if (text === '') {
      if (some) take(frame)
      frame = { event: 'message', id: '', data: '' }
      some = false
      return
    }
    const colon = text.indexOf(':')
    if (colon === 0) return // a comment keeps the connection alive
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') frame.event = value
    else if (field === 'id') frame.id = value
    else if (field === 'data') {
      frame.data = some ? `${frame.data}\n${value}` : value
      some = true
    }
  }

  return (piece) => {
    const lines = (rest + piece).split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const each of lines) line(each)
  }
}

/** The server refused to open the stream. */
export class StreamRefused extends Error {
  constructor(readonly status: number) {
    super(`stream refused: ${status}`)
  }
}

export interface ReadOptions {
  signal: AbortSignal
  onOpen?: () => void
  onFrame: (frame: Frame) => void
  /** The server sends at least a comment every 15 s: after so long (ms) without a byte the connection counts as dead. */
  silence?: number
  headers?: Record<string, string>
}

/** Read until the server ends the stream. `StreamRefused`, or whatever `fetch` throws; an abort rejects too. */
export async function readFrames(url: string, options: ReadOptions): Promise<void> {
  const { signal, onOpen, onFrame, silence = 25_000 } = options
  const quiet = new AbortController()
  let timer = setTimeout(() => quiet.abort(), silence)
  const awake = () => {
    clearTimeout(timer)
    timer = setTimeout(() => quiet.abort(), silence)
  }
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, quiet.signal]),
      credentials: 'same-origin',
      headers: { Accept: 'text/event-stream', ...options.headers },
      cache: 'no-store',
    })
    if (!response.ok || !response.body) throw new StreamRefused(response.status)
    awake()
    onOpen?.()
    const reader = response.body.getReader()
    const decoder = new TextDecoder()
    const parse = frameParser(onFrame)
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      awake()
      parse(decoder.decode(value, { stream: true }))
    }
  } finally {
    clearTimeout(timer)
  }
}

const SHORTEST = 500
const LONGEST = 15_000

/** How long to wait before the `attempt`-th try (from 1): doubling, never the same for all, 0.5 to 15 s. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const most = Math.min(LONGEST, SHORTEST * 2 ** attempt)
  return SHORTEST + random() * (most - SHORTEST)
}
