import { expect, test } from 'vitest'
import { afterStatus, guestOf, inventoryOf, type Row, withGuest, withLife, withSilence } from '@/live/rows'

const guest = (vmid: number, more: Row = {}): Row => ({
  type: 'qemu',
  vmid,
  name: `g${vmid}`,
  node: 'n1',
  status: 'stopped',
  ...more,
})
const ROWS: Row[] = [
  guest(200),
  guest(100, { status: 'running', cpu: 0.5, tags: 'web;db' }),
  { type: 'node', node: 'n1', status: 'online' },
  { type: 'storage', storage: 'local', node: 'n1', status: 'available', content: 'iso,images', maxdisk: 10 },
  { type: 'pool', pool: 'prod' },
]

test('lists are in order, and know their things', () => {
  const all = inventoryOf(ROWS)
  expect(all.guestList.map((each) => each.vmid)).toEqual([100, 200])
  expect(all.guests.get(100)?.tags).toEqual(['web', 'db'])
  expect(all.storages.get('n1/local')?.content).toEqual(['iso', 'images'])
  expect([...all.pools.keys()]).toEqual(['prod'])
})

test('reading the same list again keeps every object and the shape', () => {
  const first = inventoryOf(ROWS)
  const second = inventoryOf(ROWS, first)
  expect(second.guests.get(100)).toBe(first.guests.get(100))
  expect(second.shape).toBe(first.shape)
  expect(inventoryOf([...ROWS, guest(300)], second).shape).not.toBe(first.shape)
  expect(inventoryOf(ROWS.slice(1), second).shape).not.toBe(first.shape)
})

test('a field that a status leaves out is at its default', () => {
  const before = inventoryOf(ROWS)
  const { after } = afterStatus(
    before,
    [{ kind: 'guest', id: '100', guest: { vmid: 100, node: 'n1', status: 'running' } }],
    1,
  )
  expect(after.guests.get(100)).toMatchObject({ status: 'running', cpu: 0, name: 'g100' })
  const stopped = afterStatus(before, [{ kind: 'guest', id: '100', guest: { vmid: 100, node: 'n1' } }], 1).after
  expect(stopped.guests.get(100)?.status).toBe('stopped')
})

test('sizes that a stopped guest does not tell stay those of its record', () => {
  const before = inventoryOf([guest(100, { maxmem: 512, maxcpu: 2 })])
  const { after } = afterStatus(before, [{ kind: 'guest', id: '100', guest: { status: 'running', maxmem: 1024 } }], 1)
  expect(after.guests.get(100)).toMatchObject({ maxmem: 1024, maxcpu: 2 })
})

test('a status replaces one row, and leaves the others, the shape and the old inventory alone', () => {
  const before = inventoryOf(ROWS)
  const { after } = afterStatus(
    before,
    [{ kind: 'guest', id: '200', guest: { status: 'running', qmpstatus: 'paused' } }],
    1,
  )
  expect(after.shape).toBe(before.shape)
  expect(after.guests.get(100)).toBe(before.guests.get(100))
  expect(after.guestList[1]).toMatchObject({ status: 'running', qmpstatus: 'paused' })
  expect(before.guestList[1]?.status).toBe('stopped')
  expect(
    inventoryOf(
      ROWS.map((row) => (row.vmid === 200 ? { ...row, status: 'running' } : row)),
      after,
    ).guests.get(200)?.qmpstatus,
  ).toBe('paused')
})

test('storages and nodes follow too, and what is gone is told apart', () => {
  const before = inventoryOf(ROWS)
  const { after } = afterStatus(
    before,
    [
      {
        kind: 'storage',
        id: 'n1/local',
        storage: { storage: 'local', node: 'n1', used: 4, total: 9, content: 'iso', active: false },
      },
      { kind: 'node', id: 'n1' },
      { kind: 'guest', id: '100' },
    ],
    1,
  )
  expect(after.storages.get('n1/local')).toMatchObject({ status: 'unknown', disk: 4, maxdisk: 9, content: ['iso'] })
  expect(after.nodes.get('n1')?.status).toBe('offline')
  expect(after.guests.get(100)).toMatchObject({ status: 'stopped', cpu: 0 })
})

test('a status of a guest that is not there says so', () => {
  const { strange } = afterStatus(inventoryOf(ROWS), [{ kind: 'guest', id: '999', guest: { status: 'running' } }], 1)
  expect(strange.map((change) => change.id)).toEqual(['999'])
})

test('guests come and go one by one', () => {
  const before = inventoryOf(ROWS)
  const made = before.guests.get(100)
  if (!made) throw new Error('no guest')
  const more = withGuest(before, 150, { ...made, vmid: 150 })
  expect(more.guestList.map((each) => each.vmid)).toEqual([100, 150, 200])
  expect(withGuest(more, 100, null).guestList.map((each) => each.vmid)).toEqual([150, 200])
  expect(withGuest(more, 150, { ...made, vmid: 150 })).toBe(more)
})

test('a node that has been silent for a minute is offline until it speaks', () => {
  const heard = afterStatus(inventoryOf(ROWS), [{ kind: 'node', id: 'n1', node: { uptime: 5 } }], 1000).after
  expect(withSilence(heard, 50_000)).toBe(heard)
  const silent = withSilence(heard, 62_000)
  expect(silent.nodes.get('n1')?.status).toBe('offline')
  expect(
    afterStatus(silent, [{ kind: 'node', id: 'n1', node: { uptime: 70 } }], 63_000).after.nodes.get('n1')?.status,
  ).toBe('online')
})

test('a hundred changes among ten thousand guests take a few milliseconds', () => {
  const before = inventoryOf(Array.from({ length: 10_000 }, (_, at) => guest(at + 100)))
  const changes = Array.from({ length: 100 }, (_, at) => ({
    kind: 'guest' as const,
    id: String(at * 97 + 100),
    guest: { status: 'running', cpu: at / 100 },
  }))
  const begun = performance.now()
  for (let turn = 0; turn < 10; turn += 1) afterStatus(before, changes, turn)
  expect((performance.now() - begun) / 10).toBeLessThan(20)
})

test('an answer that comes late does not bring back how a guest was doing', () => {
  const told = guestOf(guest(100, { status: 'stopped' }))
  const late = guestOf(guest(100, { name: 'new', status: 'running', cpu: 0.5 }))
  expect(withLife(late, told)).toMatchObject({ name: 'new', status: 'stopped', cpu: 0 })
})
