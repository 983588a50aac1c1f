import { expect, test } from 'vitest'
import { pointOf } from '@/pages/nodes/live'

test('figures get the names of the history; what is unknown is a gap', () => {
  expect(pointOf({ cpu: 0.5, mem: 10, maxmem: 20 }, 7)).toEqual({ time: 7, cpu: 0.5, memused: 10, memtotal: 20 })
  expect(pointOf({ cpu: 'x' }, 7)).toEqual({ time: 7, cpu: null, memused: null, memtotal: null })
})
