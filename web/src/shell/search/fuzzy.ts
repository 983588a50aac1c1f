/** Finding names among many, with a typing error in each word. Pure. */
import uFuzzy from '@leeoniya/ufuzzy'

const STRICT = { intraIns: 0, intraSub: 0, intraTrn: 0, intraDel: 0 } as const
const LOOSE = { intraIns: 1, intraSub: 1, intraTrn: 1, intraDel: 1 } as const

/** Numbers and short words must be right: with an error they would fit nearly everything. */
const rules = (slice: [number, number]) => (term: string) =>
  ({ intraSlice: slice, ...(term.length < 4 || /^\d+$/.test(term) ? STRICT : LOOSE) }) as const

const EXACT = new uFuzzy({ intraMode: 0 })
const FUZZY = new uFuzzy({ intraMode: 1, intraRules: rules([1, Number.POSITIVE_INFINITY]) })
/** The first letter may be the wrong one too: only if nothing else is found. */
const FUZZIER = new uFuzzy({ intraMode: 1, intraRules: rules([0, Number.POSITIVE_INFINITY]) })
const UNICODE = new uFuzzy({
  unicode: true,
  interSplit: "[^\\p{L}\\d']+",
  intraSplit: '\\p{Ll}\\p{Lu}',
  intraBound: '\\p{L}\\d|\\d\\p{L}|\\p{Ll}\\p{Lu}',
  intraChars: "[\\p{L}\\d']",
  intraContr: "'\\p{L}{1,2}\\b",
})

/** So many are ranked with care; of more, those that begin so come first. */
const RANKED = 1000

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
const ascii = (text: string): boolean => /^[\u0000-\u007f]*$/.test(text)

function search(tool: uFuzzy, haystack: string[], needle: string): number[] {
  const [found, info, order] = tool.search(haystack, needle, 1, RANKED)
  if (!found || found.length === 0) return []
  if (info && order) return order.flatMap((at) => info.idx[at] ?? [])
  const wanted = needle.toLowerCase()
  const first = found.filter((at) => haystack[at]?.toLowerCase().startsWith(wanted))
  return first.length > 0 ? [...first, ...found.filter((at) => !haystack[at]?.toLowerCase().startsWith(wanted))] : found
}

/** Which of the texts fit, best first. */
export function fuzzy(haystack: string[], needle: string): number[] {
  const text = needle.trim()
  if (!text) return []
  if (!ascii(text)) return search(UNICODE, haystack, text)
  for (const tool of [EXACT, FUZZY, FUZZIER]) {
    const found = search(tool, haystack, text)
    if (found.length > 0) return found
  }
  return []
}
