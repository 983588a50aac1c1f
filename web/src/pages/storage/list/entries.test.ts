import { expect, it } from 'vitest'
import type { StorageRow } from '@/live/types'
import { enableJobs, removeJobs, storageEntries } from './entries'

const row = (node: string, storage: string): StorageRow => ({
  kind: 'storage',
  id: `${node}/${storage}`,
  storage,
  node,
  plugintype: 'dir',
  content: ['iso'],
  shared: true,
  status: 'available',
  disk: 1,
  maxdisk: 2,
})

const entries = storageEntries(
  [row('one', 'nas'), row('two', 'nas')],
  [{ storage: 'nas' }, { storage: 'old', type: 'dir', content: 'iso,images', disable: 1 }],
)

it('shows what no node reports, too', () => {
  expect(entries.map(({ key, status, enabled }) => [key, status, enabled])).toEqual([
    ['one/nas', 'available', true],
    ['two/nas', 'available', true],
    ['/old', 'disabled', false],
  ])
})

it('calls once for a storage of many nodes', () => {
  expect(removeJobs(entries).map(({ key }) => key)).toEqual(['nas', 'old'])
  expect(enableJobs(entries, true).map(({ params }) => params)).toEqual([{ storage: 'old', disable: false }])
})
