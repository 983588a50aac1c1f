import { describe, expect, it } from 'vitest'
import type { Guest, NodeRow, StorageRow, TaskInfo } from '@/live/types'
import { added, byTask, concerns, countGuests, failures, totals } from './glance'

const guest = (fields: Partial<Guest>): Guest =>
  ({ kind: 'guest', vmid: 100, name: 'web', status: 'running', template: false, ...fields }) as Guest
const node = (fields: Partial<NodeRow>): NodeRow =>
  ({ kind: 'node', node: 'n1', status: 'online', cpu: 0.5, maxcpu: 4, mem: 1, maxmem: 2, ...fields }) as NodeRow
const storage = (fields: Partial<StorageRow>): StorageRow =>
  ({ storage: 'local', node: 'n1', status: 'available', shared: false, disk: 1, maxdisk: 10, ...fields }) as StorageRow
const task = (fields: Partial<TaskInfo>): TaskInfo =>
  ({ upid: 'u', node: 'n1', type: 'qmstart', id: '100', user: 'me', starttime: 1000, ...fields }) as TaskInfo

it('guests are counted by what they do', () => {
  const all = [guest({}), guest({ qmpstatus: 'paused' }), guest({ status: 'stopped' }), guest({ template: true })]
  expect(countGuests(all)).toEqual({ running: 1, paused: 1, stopped: 1, templates: 1, total: 4 })
})

it('a shared storage counts once, a node that is away not at all', () => {
  const shared = [storage({ storage: 'nfs', shared: true }), storage({ storage: 'nfs', shared: true, node: 'n2' })]
  expect(totals([node({}), node({ status: 'offline' })], [storage({}), ...shared])).toEqual({
    cpu: 2,
    maxcpu: 4,
    mem: 1,
    maxmem: 2,
    disk: 2,
    maxdisk: 20,
  })
})

describe('what needs attention', () => {
  it('is nothing where all is well', () => {
    const all = { nodes: [node({})], storages: [storage({})], guests: [guest({})] }
    expect(concerns(all, [task({ status: 'OK' })], 2000)).toEqual([])
  })
  it('is what is away, full, locked or failed', () => {
    const all = {
      nodes: [node({ status: 'offline' })],
      storages: [storage({ disk: 9 }), storage({ status: 'unknown' })],
      guests: [guest({ lock: 'backup' }), guest({ qmpstatus: 'io-error' })],
    }
    const kinds = concerns(all, [task({ status: 'went wrong', endtime: 1500 })], 2000).map(({ kind }) => kind)
    expect(kinds).toEqual(['node', 'storageFull', 'storageAway', 'guestLock', 'guestError', 'task'])
  })
  it('is no lock that a running task holds', () => {
    const all = { nodes: [], storages: [], guests: [guest({ lock: 'backup' })] }
    expect(concerns(all, [task({})], 2000)).toEqual([])
  })
})

it('a failure that was made good since, or is of yesterday, is none', () => {
  expect(failures([task({ status: 'bad' }), task({ starttime: 1100, status: 'OK' })], 2000)).toEqual([])
  expect(failures([task({ status: 'bad', endtime: 1000 })], 1000 + 90000)).toEqual([])
})

it('series of several nodes are added up moment by moment', () => {
  const series = [[{ time: 1, cpu: 1 }, { time: 2 }], [{ time: 1, cpu: 2 }]]
  expect(added(series, (point) => point.cpu as number | undefined)).toEqual([3])
})

it('what one task has written is one change', () => {
  const rows = [{ upid: 'a' }, { upid: 'a' }, {}, {}, { upid: 'a' }]
  expect(byTask(rows)).toHaveLength(4)
})

it('a console to which nobody came is no failure', () => {
  expect(failures([task({ type: 'vncproxy', status: 'no client' })], 2000)).toEqual([])
})
