import { expect, test } from 'vitest'
import { allowed, pooled } from '@/api/permissions'

const GRANTED = {
  '/': { 'Sys.Audit': 1 },
  '/vms': { 'VM.Audit': 1, 'VM.Allocate': 0 },
  '/vms/200': { 'VM.PowerMgmt': 1 },
  '/pool/prod': { 'VM.Console': 1 },
}

test('the nearest path with entries decides', () => {
  expect(allowed(GRANTED, '/nodes/n1', 'Sys.Audit')).toBe(true)
  expect(allowed(GRANTED, '/vms/100', 'VM.Audit')).toBe(true)
  expect(allowed(GRANTED, '/vms/200', 'VM.Audit')).toBe(false)
  expect(allowed(GRANTED, '/vms/200', 'VM.PowerMgmt')).toBe(true)
})

test('what does not propagate counts on its own path only', () => {
  expect(allowed(GRANTED, '/vms', 'VM.Allocate')).toBe(true)
  expect(allowed(GRANTED, '/vms/100', 'VM.Allocate')).toBe(false)
})

test('nothing is allowed where nothing is granted', () => {
  expect(allowed({}, '/vms/1', 'VM.Audit')).toBe(false)
})

test('a pool may give what only the API can tell of a member', () => {
  expect(pooled(GRANTED, '/vms/100', 'VM.Console')).toBe(true)
  expect(pooled(GRANTED, '/nodes/n1', 'VM.Console')).toBe(false)
})
