/**
 * Property strings as pairs in their order: what is not understood is kept where it stands. Forms that are made from a
 * schema use `@/forms/propstring`; this is for what is only shown, or changed in one place.
 */

/** Key and value; the key is empty for a value that stands alone. */
export type Pairs = readonly (readonly [string, string])[]

export function pairsOf(text: string): Pairs {
  return text
    .split(',')
    .map((piece) => piece.trim())
    .filter(Boolean)
    .map((piece) => {
      const equals = piece.indexOf('=')
      return equals < 0 ? (['', piece] as const) : ([piece.slice(0, equals), piece.slice(equals + 1)] as const)
    })
}

export function textOf(pairs: Pairs): string {
  return pairs.map(([key, value]) => (key === '' ? value : `${key}=${value}`)).join(',')
}

/** The value of a key; `first`: what stands alone counts as the value of this key. */
export function partOf(text: string, key: string, first = ''): string | undefined {
  return pairsOf(text).find(([name]) => name === key || (name === '' && key === first))?.[1]
}

/** The text with some values replaced, added at the end, or taken out (undefined and the empty text). */
export function withValues(text: string, values: Record<string, string | undefined>, first = ''): string {
  const rest = new Map(Object.entries(values))
  const changed: [string, string][] = []
  for (const [key, value] of pairsOf(text)) {
    const name = key === '' ? first : key
    if (!rest.has(name)) {
      changed.push([key, value])
      continue
    }
    const next = rest.get(name)
    rest.delete(name)
    if (next) changed.push([key, next])
  }
  for (const [key, value] of rest) {
    if (!value) continue
    if (key === first) changed.unshift(['', value])
    else changed.push([key, value])
  }
  return textOf(changed)
}

export const flag = (text: string | undefined): boolean => /^(1|on|yes|true)$/i.test(text ?? '')
