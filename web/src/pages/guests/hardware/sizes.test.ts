import { expect, test } from 'vitest'
import { changes } from '@/pages/guests/hardware/sizes'

test('only what differs is sent', () => {
  const before = { memory: '512', balloon: '256' }
  expect(changes(before, { memory: '512', balloon: '256' })).toEqual({})
  expect(changes(before, { memory: '1024', balloon: '' })).toEqual({ memory: '1024', delete: 'balloon' })
  expect(changes({}, { cpu: '', cores: '2' })).toEqual({ cores: '2' })
})
