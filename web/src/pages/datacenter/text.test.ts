import { expect, test } from 'vitest'
import { textOf, texts } from '@/pages/datacenter/text'

test('what comes taken apart is put together again', () => {
  expect(textOf({ lower: 200, upper: 9000 })).toBe('lower=200,upper=9000')
  expect(textOf(['prod', 'test'])).toBe('prod;test')
  expect(textOf({ 'user-allow': 'list', 'user-allow-list': ['a', 'b'] })).toBe('user-allow=list,user-allow-list=a;b')
  expect(textOf(0)).toBe('0')
  expect(textOf(undefined)).toBe('')
})

test('all options as texts', () => {
  expect(texts({ keyboard: 'de', migration: { type: 'secure' } })).toEqual({ keyboard: 'de', migration: 'type=secure' })
})
