/** A task's log as it comes: read from the stream, resumed where it broke. */
import { useEffect, useState } from 'react'
import { sessionRefused } from '@/api/session'
import { backoff, readFrames, StreamRefused } from '@/live/sse'
import { parseUpid } from '@/live/tasks'

export interface LogState {
  lines: readonly string[]
  /** How it ended, when it has. */
  ended?: string
  /** The stream is broken, or there is no such log. */
  trouble?: 'lost' | 'missing'
  /** The first lines have come, or there are none. */
  ready: boolean
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they are
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they are
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/g

/** A line as text: no colours and cursor movements; of what was written over, the last. */
export function plainLine(text: string): string {
  const shown = text.replace(ESCAPES, '').replace(/\r+$/, '')
  return shown.slice(shown.lastIndexOf('\r') + 1).replace(CONTROL, '')
}

interface Line {
  n: number
  t: string
}

/** The lines after some more; those that are there already are left out. */
export function withLines(before: readonly string[], more: readonly Line[]): readonly string[] {
  const fresh = more.filter((line) => line.n > before.length)
  return fresh.length > 0 ? [...before, ...fresh.map((line) => plainLine(line.t))] : before
}

const START: LogState = { lines: [], ready: false }

/** Follow a log until it ends; answers the function that leaves. */
export function followLog(upid: string, tell: (state: LogState) => void): () => void {
  const left = new AbortController()
  const { node } = parseUpid(upid)
  const url = `/api2/json/nodes/${encodeURIComponent(node)}/tasks/${encodeURIComponent(upid)}/log?follow=1`
  let state = START
  const set = (next: Partial<LogState>) => {
    state = { ...state, ...next }
    if (!left.signal.aborted) tell(state)
  }

  async function once(): Promise<void> {
    await readFrames(url, {
      signal: left.signal,
      headers: state.lines.length > 0 ? { 'Last-Event-ID': String(state.lines.length) } : {},
      onOpen: () => set({ trouble: undefined }),
      onFrame: ({ event, data }) => {
        if (event === 'lines') set({ lines: withLines(state.lines, JSON.parse(data) as Line[]), ready: true })
        else if (event === 'end') set({ ended: (JSON.parse(data) as { status: string }).status, ready: true })
      },
    })
  }

  async function follow(): Promise<void> {
    for (let attempt = 1; state.ended === undefined && !left.signal.aborted; attempt += 1) {
      try {
        await once()
      } catch (error) {
        if (left.signal.aborted) return
        if (error instanceof StreamRefused && error.status === 401) await sessionRefused()
        else if (error instanceof StreamRefused && error.status < 503) {
          set({ trouble: 'missing', ready: true })
          return
        }
      }
      if (state.ended !== undefined || left.signal.aborted) return
      set({ trouble: 'lost' })
      await new Promise((resolve) => setTimeout(resolve, backoff(attempt)))
    }
  }

  void follow().finally(() => left.abort())
  return () => left.abort()
}

export function useLog(upid: string): LogState {
  const [state, setState] = useState(START)
  useEffect(() => {
    setState(START)
    return followLog(upid, setState)
  }, [upid])
  return state
}
