import { expect, test } from 'vitest'
import { dayOf, endOf, isOver } from '@/pages/access/expiry'

test('a day and its last second belong together', () => {
  expect(dayOf(endOf('2031-02-28'))).toBe('2031-02-28')
  expect(dayOf(endOf('2031-12-31'))).toBe('2031-12-31')
})

test('no day is never', () => {
  expect(endOf('')).toBe(0)
  expect(dayOf(0)).toBe('')
  expect(isOver(0)).toBe(false)
})

test('what has passed is over', () => {
  expect(isOver(10, 11)).toBe(true)
  expect(isOver(12, 11)).toBe(false)
})
