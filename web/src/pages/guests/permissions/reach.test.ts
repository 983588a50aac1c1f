import { expect, test } from 'vitest'
import { entriesFor } from '@/pages/guests/permissions/reach'

const entry = (path: string, propagate = 1) => ({ path, type: 'user' as const, ugid: 'a@pve', roleid: 'R', propagate })

test('entries on the guest, its pools and above', () => {
  const all = [
    entry('/'),
    entry('/vms', 0),
    entry('/vms/100', 0),
    entry('/vms/101'),
    entry('/pool/prod'),
    entry('/pool/prod/web'),
    entry('/storage'),
  ]
  expect(entriesFor(all, 100).map(({ path }) => path)).toEqual(['/vms/100', '/'])
  expect(entriesFor(all, 100, 'prod/web').map(({ path }) => path)).toEqual([
    '/vms/100',
    '/pool/prod/web',
    '/pool/prod',
    '/',
  ])
})
