import { expect, it } from 'vitest'
import { remaining, speedOf } from './speed'

it('speed is what the last samples say', () => {
  expect(speedOf([])).toBe(0)
  expect(speedOf([{ at: 1, bytes: 5 }])).toBe(0)
  expect(
    speedOf([
      { at: 1, bytes: 0 },
      { at: 3, bytes: 100 },
    ]),
  ).toBe(50)
})

it('the rest takes as long as the speed says, if there is one', () => {
  expect(remaining(100, 50, 25)).toBe(2)
  expect(remaining(100, 50, 0)).toBeUndefined()
})
