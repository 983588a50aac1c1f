// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { inventory, startInventory } from '@/live/inventory'
import { type Channel, connection, type Outside, type StreamEvent, startStream } from '@/live/stream'

const RESOURCES = [
  { type: 'node', node: 'n1', status: 'online' },
  { type: 'qemu', vmid: 100, name: 'web', node: 'n1', status: 'stopped' },
  { type: 'qemu', vmid: 101, name: 'db', node: 'n1', status: 'stopped' },
]

let asked: string[] = []
let answers: Record<string, unknown> = {}
let stops: (() => void)[] = []
let send: (event: StreamEvent) => void = () => undefined

const quiet: Channel = { postMessage: () => undefined, close: () => undefined, onmessage: null }
const outside: Outside = {
  read: (_since, signal, opened, take) =>
    new Promise((_, reject) => {
      opened()
      send = take
      signal.addEventListener('abort', () => reject(new Error('ended')))
    }),
  backoff: () => 1000,
  refused: async () => undefined,
  locks: undefined,
  channel: () => quiet,
}

beforeEach(async () => {
  vi.useFakeTimers({
    toFake: [
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'clearInterval',
      'Date',
      'requestAnimationFrame',
      'cancelAnimationFrame',
    ],
  })
  asked = []
  answers = { '/api2/json/cluster/resources': RESOURCES }
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url)
    const data = answers[url]
    return new Response(JSON.stringify({ data: data ?? null }), { status: data ? 200 : 500 })
  })
  connection.set({ kind: 'connecting' })
  stops = [startInventory(), startStream(outside)]
  await vi.advanceTimersByTimeAsync(200)
})

afterEach(async () => {
  for (const stop of stops) stop()
  await vi.advanceTimersByTimeAsync(0)
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const change = (key: string, action: 'write' | 'delete'): StreamEvent => ({
  kind: 'change',
  id: '1.2',
  data: { revision: '1.2', who: 'joe', why: '', records: [{ key, action }] },
})

test('the list is read once, and events of status come with the next frame', async () => {
  expect(inventory.get().guests.size).toBe(2)
  send({ kind: 'status', id: '', data: [{ kind: 'guest', id: '100', guest: { vmid: 100, status: 'running' } }] })
  send({ kind: 'status', id: '', data: [{ kind: 'guest', id: '101', guest: { vmid: 101, status: 'running' } }] })
  expect(inventory.get().guests.get(100)?.status).toBe('stopped')
  let drawn = 0
  stops.push(inventory.subscribe(() => (drawn += 1)))
  await vi.advanceTimersByTimeAsync(20)
  expect(inventory.get().guestList.map((guest) => guest.status)).toEqual(['running', 'running'])
  expect(drawn).toBe(1)
  expect(asked.length).toBe(1)
})

test('of a guest whose record changed only its own row is read', async () => {
  answers['/api2/json/nodes/n1/qemu/100/status/current'] = {
    vmid: 100,
    name: 'www',
    status: 'stopped',
    cpus: 4,
    tags: 'a',
  }
  send(change('guest/100', 'write'))
  await vi.advanceTimersByTimeAsync(400)
  expect(inventory.get().guests.get(100)).toMatchObject({ name: 'www', maxcpu: 4, tags: ['a'] })
  expect(asked.filter((url) => url.includes('resources')).length).toBe(1)
})

test('a guest that was removed is gone at once, a new one comes', async () => {
  const before = inventory.get().shape
  send(change('guest/101', 'delete'))
  expect([...inventory.get().guests.keys()]).toEqual([100])
  answers['/api2/json/nodes/n1/qemu/102/status/current'] = { vmid: 102, name: 'new', status: 'stopped', cpus: 1 }
  send(change('guest/102', 'write'))
  await vi.advanceTimersByTimeAsync(400)
  expect(inventory.get().guestList.map((guest) => guest.vmid)).toEqual([100, 102])
  expect(inventory.get().shape).toBeGreaterThan(before)
})

test('however much changes, the whole list is read at most every two seconds', async () => {
  for (let turn = 0; turn < 50; turn += 1) {
    for (let vmid = 200; vmid < 220; vmid += 1) send(change(`guest/${vmid}`, 'write'))
    await vi.advanceTimersByTimeAsync(100)
  }
  const lists = asked.filter((url) => url.includes('resources')).length
  expect(lists).toBeGreaterThan(1)
  expect(lists).toBeLessThanOrEqual(4)
  expect(asked.some((url) => url.includes('/qemu/'))).toBe(false)
})

test('a node that falls silent is offline after a minute', async () => {
  send({ kind: 'status', id: '', data: [{ kind: 'node', id: 'n1', node: { node: 'n1', uptime: 5 } }] })
  await vi.advanceTimersByTimeAsync(50)
  expect(inventory.get().nodes.get('n1')?.status).toBe('online')
  await vi.advanceTimersByTimeAsync(75_000)
  expect(inventory.get().nodes.get('n1')?.status).toBe('offline')
})
