import { expect, it } from 'vitest'
import { eachOf } from './jobs'

it('works on a few at a time and answers in order', async () => {
  let now = 0
  let most = 0
  const results = await eachOf([3, 1, 2, 5, 4], 2, async (item) => {
    now += 1
    most = Math.max(most, now)
    await new Promise((resolve) => setTimeout(resolve, item))
    now -= 1
    return item * 10
  })
  expect(results).toEqual([30, 10, 20, 50, 40])
  expect(most).toBe(2)
})
