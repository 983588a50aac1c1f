// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Channel, connection, type Outside, onEvent, onJoin, type StreamEvent, startStream } from '@/live/stream'

const settle = () => vi.advanceTimersByTimeAsync(0)

/** Locks as a browser has them: one holder of a name, the others in line. */
function locks(): Pick<LockManager, 'request'> {
  let tail: Promise<unknown> = Promise.resolve()
  const request = (_name: string, { signal }: { signal: AbortSignal }, work: () => Promise<void>) => {
    const mine = tail.then(() => (signal.aborted ? undefined : work()))
    tail = mine
    return mine
  }
  return { request } as unknown as Pick<LockManager, 'request'>
}

function air() {
  const tabs = new Set<Channel>()
  return () => {
    const mine: Channel = {
      onmessage: null,
      postMessage: (data: unknown) => {
        for (const tab of tabs) if (tab !== mine) tab.onmessage?.({ data: structuredClone(data) } as MessageEvent)
      },
      close: () => tabs.delete(mine),
    }
    tabs.add(mine)
    return mine
  }
}

interface Read {
  since: string
  opened: () => void
  take: (event: StreamEvent) => void
  fail: (error?: unknown) => void
}

function outside(shared: Partial<Outside> = {}): { reads: Read[]; outside: Outside } {
  const reads: Read[] = []
  return {
    reads,
    outside: {
      read: (since, signal, opened, take) =>
        new Promise((_, reject) => {
          reads.push({ since, opened, take, fail: (error = new Error('broken')) => reject(error) })
          signal.addEventListener('abort', () => reject(new Error('aborted')))
        }),
      backoff: (attempt) => attempt * 1000,
      refused: async () => undefined,
      locks: undefined,
      channel: air(),
      ...shared,
    },
  }
}

const at = <T>(list: T[], index: number): T => {
  const found = list.at(index)
  if (found === undefined) throw new Error(`nothing at ${index}`)
  return found
}

let stops: (() => void)[] = []
beforeEach(() => {
  vi.useFakeTimers()
  connection.set({ kind: 'connecting' })
})
afterEach(async () => {
  for (const stop of stops) stop()
  stops = []
  await settle()
  vi.useRealTimers()
})

test('a broken stream is resumed from the last revision after a pause', async () => {
  const { reads, outside: it } = outside()
  stops.push(startStream(it))
  const seen: string[] = []
  stops.push(onEvent((event) => seen.push(event.id)))
  at(reads, 0).opened()
  expect(connection.get().kind).toBe('live')
  at(reads, 0).take({ kind: 'change', id: '1.7', data: {} })
  at(reads, 0).fail()
  await settle()
  expect(connection.get().kind).toBe('lost')
  expect(reads.length).toBe(1)
  await vi.advanceTimersByTimeAsync(1000)
  expect(at(reads, 1).since).toBe('1.7')
  at(reads, 1).opened()
  expect(connection.get().kind).toBe('live')
  expect(seen).toEqual(['1.7'])
})

test('pauses grow until the stream opens, and the network coming back ends one at once', async () => {
  const { reads, outside: it } = outside()
  stops.push(startStream(it))
  for (const pause of [1000, 2000]) {
    at(reads, -1).fail()
    const before = reads.length
    await vi.advanceTimersByTimeAsync(pause - 1)
    expect(reads.length).toBe(before)
    await vi.advanceTimersByTimeAsync(1)
    expect(reads.length).toBe(before + 1)
  }
  at(reads, -1).fail()
  await settle()
  window.dispatchEvent(new Event('online'))
  await settle()
  expect(reads.length).toBe(4)
})

test('since when the connection is lost stays the same while it is tried again', async () => {
  const { reads, outside: it } = outside()
  stops.push(startStream(it))
  at(reads, 0).fail()
  await settle()
  const first = connection.get()
  await vi.advanceTimersByTimeAsync(1000)
  at(reads, 1).fail()
  await settle()
  expect(connection.get()).toEqual(first)
})

test('one tab reads for all, and another takes over from the same revision', async () => {
  const shared = { locks: locks(), channel: air() }
  const first = outside(shared)
  const second = outside(shared)
  const endFirst = startStream(first.outside)
  await settle()
  stops.push(startStream(second.outside))
  await settle()
  expect([first.reads.length, second.reads.length]).toEqual([1, 0])
  at(first.reads, 0).opened()
  at(first.reads, 0).take({ kind: 'change', id: '1.9', data: {} })
  endFirst()
  await settle()
  expect(at(second.reads, 0).since).toBe('1.9')
})

test('a tab that joins hears what only the others know', async () => {
  const shared = { locks: locks(), channel: air() }
  const first = outside(shared)
  stops.push(startStream(first.outside))
  await settle()
  at(first.reads, 0).opened()
  stops.push(onJoin(() => ({ kind: 'task', id: '', data: ['running'] })))
  const heard: unknown[] = []
  stops.push(onEvent((event) => heard.push(event.data)))
  stops.push(startStream(outside(shared).outside))
  await settle()
  expect(heard).toEqual([['running']])
})

test('a tab that hears an event before it is welcomed is welcomed nevertheless', async () => {
  const shared = { locks: locks(), channel: air() }
  const first = outside(shared)
  stops.push(startStream(first.outside))
  await settle()
  at(first.reads, 0).opened()
  stops.push(onJoin(() => ({ kind: 'task', id: '', data: ['running'] })))
  const heard: unknown[] = []
  stops.push(onEvent((event) => heard.push(event.data)))
  const others = shared.channel()
  // The event was on its way when the tab opened its channel.
  const late = {
    ...shared,
    channel: () => {
      const mine = shared.channel()
      const post = mine.postMessage.bind(mine)
      mine.postMessage = (message: unknown) => {
        if ((message as { type: string }).type === 'join')
          mine.onmessage?.({
            data: { type: 'event', event: { kind: 'change', id: '1.5', data: 'early' } },
          } as MessageEvent)
        post(message)
      }
      return mine
    },
  }
  stops.push(startStream(outside(late).outside))
  await settle()
  others.close()
  expect(heard).toEqual(['early', ['running']])
})

test('a refused ticket is waited for before the next try', async () => {
  let go: () => void = () => undefined
  const { reads, outside: it } = outside({
    refused: () =>
      new Promise((resolve) => {
        go = resolve
      }),
  })
  stops.push(startStream(it))
  at(reads, 0).fail()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(reads.length).toBe(1)
  go()
  await vi.advanceTimersByTimeAsync(1000)
  expect(reads.length).toBe(2)
})
