import { expect, test } from 'vitest'
import type { Guest, StorageRow } from '@/live/types'
import { above, inside, listsOf, membersOf } from '@/pages/pools/members'

const guest = (vmid: number, pool?: string) =>
  ({ vmid, name: `vm${vmid}`, node: 'n1', status: 'running', pool }) as Guest
const place = (storage: string, node: string) => ({ storage, node, status: 'available' }) as StorageRow

test('members are the guests of the pool, then its storages once each', () => {
  const rows = membersOf(
    'lab',
    [guest(110, 'lab'), guest(100, 'lab'), guest(101, 'other'), guest(102)],
    ['nfs', 'nfs', 'gone'],
    [place('nfs', 'n1'), place('nfs', 'n2')],
  )
  expect(rows.map(({ key, node, status }) => [key, node, status])).toEqual([
    ['guest/100', 'n1', 'running'],
    ['guest/110', 'n1', 'running'],
    ['storage/gone', '', 'unknown'],
    ['storage/nfs', 'n1, n2', 'available'],
  ])
})

test('members become the lists of the call', () => {
  const rows = membersOf('lab', [guest(100, 'lab')], ['nfs'], [])
  expect(listsOf(rows)).toEqual({ vms: ['100'], storage: ['nfs'] })
  expect(listsOf([])).toEqual({})
})

test('pools stand in pools', () => {
  expect(above('a/b/c')).toEqual(['a', 'a/b'])
  expect(above('a')).toEqual([])
  expect(inside('a', ['a', 'a/b', 'a/b/c', 'ab', 'a/d'])).toEqual(['a/b', 'a/d'])
})
