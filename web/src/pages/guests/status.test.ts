import { expect, test } from 'vitest'
import { powerOf } from '@/pages/guests/status'

test.each([
  [{ status: 'running' }, undefined, 'running'],
  [{ status: 'running', qmpstatus: 'paused' }, undefined, 'paused'],
  [{ status: 'running' }, 'prelaunch', 'paused'],
  [{ status: 'running', qmpstatus: 'running' }, 'paused', 'running'],
  [{ status: 'stopped' }, undefined, 'stopped'],
  [{ status: 'stopped', lock: 'suspended' }, undefined, 'suspended'],
  [{ status: 'unknown' }, undefined, 'unknown'],
] as const)('%o with %s is %s', (guest, word, expected) => {
  expect(powerOf(guest, word)).toBe(expected)
})
