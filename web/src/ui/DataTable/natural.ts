/** Order as people expect it: `disk2` before `disk10`, no matter the case. */

const cache = new Map<string, string>()
const CACHED = 50_000

/**
 * A text that sorts by plain comparison as its original sorts naturally: each number is preceded by its length. Made once
 * for each text, since a collator would be asked hundreds of thousands of times for a long list.
 */
export function naturalKey(text: string): string {
  const known = cache.get(text)
  if (known !== undefined) return known
  const key = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/0*(\d+)/g, (_, digits: string) => String.fromCharCode(0x30 + Math.min(digits.length, 40)) + digits)
  if (cache.size >= CACHED) cache.clear()
  cache.set(text, key)
  return key
}

export function compareNatural(a: string, b: string): number {
  const [x, y] = [naturalKey(a), naturalKey(b)]
  if (x === y) return a < b ? -1 : a > b ? 1 : 0
  return x < y ? -1 : 1
}
