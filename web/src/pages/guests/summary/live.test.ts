import { expect, test } from 'vitest'
import { pointOf } from '@/pages/guests/summary/live'

test('counters become rates', () => {
  const before = { reading: { netin: 100, diskread: 5, uptime: 10 }, time: 1000 }
  const point = pointOf({ cpu: 0.5, mem: 7, netin: 1100, diskread: 5, uptime: 20 }, 1010, before)
  expect(point).toEqual({ time: 1010, cpu: 0.5, mem: 7, netin: 100, netout: null, diskread: 0, diskwrite: null })
})

test('nothing is known of rates at first, and after a start', () => {
  expect(pointOf({ cpu: 0, netin: 5 }, 1).netin).toBeNull()
  expect(
    pointOf({ cpu: 0, netin: 500, uptime: 1 }, 20, { reading: { netin: 5, uptime: 90 }, time: 10 }).netin,
  ).toBeNull()
  expect(
    pointOf({ cpu: 0, netin: 1, uptime: 99 }, 20, { reading: { netin: 5, uptime: 90 }, time: 10 }).netin,
  ).toBeNull()
})
