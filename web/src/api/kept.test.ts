import { afterEach, expect, test, vi } from 'vitest'
import { keep, kept } from '@/api/kept'

afterEach(() => vi.unstubAllGlobals())

test('what a browser does not store holds until the page is closed', () => {
  vi.stubGlobal('localStorage', {
    getItem: () => null,
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError')
    },
  })
  keep('a', [1])
  expect(kept('a', [])).toEqual([1])
  expect(kept('a', [])).toBe(kept('a', []))
})

test('what another tab stores is read, and nonsense is not', () => {
  const stored = new Map<string, string>()
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, text: string) => stored.set(key, text),
  })
  keep('b', 1)
  stored.set('b', '2')
  expect(kept('b', 0)).toBe(2)
  stored.set('b', 'nonsense{')
  expect(kept('b', 0)).toBe(0)
})
