/** Differences of texts: unified diffs read, two texts compared, words that differ within a line. Pure. */

export interface Span {
  text: string
  marked: boolean
}

export interface DiffLine {
  kind: 'same' | 'add' | 'remove'
  text: string
  /** Line numbers, from 1. */
  old?: number
  new?: number
  /** The line's parts, where it is known which words changed. */
  spans?: Span[]
}

export interface Hunk {
  oldStart: number
  newStart: number
  lines: DiffLine[]
}

const HEADER = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/

/** The hunks of a unified diff. Lines are counted, so that a removed line `-- x` is not taken for a header. */
export function parseDiff(text: string): Hunk[] {
  const hunks: Hunk[] = []
  const lines = text.split('\n')
  let place = 0
  while (place < lines.length) {
    const header = HEADER.exec(lines[place] ?? '')
    place += 1
    if (!header) continue
    const hunk: Hunk = { oldStart: Number(header[1]), newStart: Number(header[3]), lines: [] }
    let [old, fresh] = [hunk.oldStart, hunk.newStart]
    let [oldLeft, newLeft] = [Number(header[2] ?? 1), Number(header[4] ?? 1)]
    for (; (oldLeft > 0 || newLeft > 0) && place < lines.length; place += 1) {
      const line = lines[place] ?? ''
      const body = line.slice(1)
      if (line.startsWith('+')) {
        hunk.lines.push({ kind: 'add', text: body, new: fresh++ })
        newLeft -= 1
      } else if (line.startsWith('-')) {
        hunk.lines.push({ kind: 'remove', text: body, old: old++ })
        oldLeft -= 1
      } else if (!line.startsWith('\\')) {
        hunk.lines.push({ kind: 'same', text: body, old: old++, new: fresh++ })
        oldLeft -= 1
        newLeft -= 1
      }
    }
    markWords(hunk.lines)
    hunks.push(hunk)
  }
  return hunks
}

/** How many lines were added and removed. */
export function counts(hunks: readonly Hunk[]): { added: number; removed: number } {
  const all = hunks.flatMap((hunk) => hunk.lines)
  const count = (kind: DiffLine['kind']) => all.filter((line) => line.kind === kind).length
  return { added: count('add'), removed: count('remove') }
}

/** A text's lines; its last line break makes no empty one. */
export function linesOf(text: string): string[] {
  if (text === '') return []
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}

/** The text before a diff was applied, from the text after. */
export function unapply(after: string, hunks: readonly Hunk[]): string {
  const lines = linesOf(after)
  const out: string[] = []
  let place = 0
  for (const hunk of hunks) {
    const added = hunk.lines.some((line) => line.kind !== 'remove')
    const start = added ? hunk.newStart - 1 : hunk.newStart // an empty range names the line before it
    out.push(...lines.slice(place, start))
    place = start
    for (const line of hunk.lines) {
      if (line.kind !== 'add') out.push(line.text)
      if (line.kind !== 'remove') place += 1
    }
  }
  out.push(...lines.slice(place))
  return out.length > 0 ? `${out.join('\n')}\n` : ''
}

// --- comparing ------------------------------------------------------------------------------------------------------

const LARGEST = 4_000_000

/** Pairs of places that two sequences have in common, in order; empty where that would take too long to find. */
function common(a: readonly string[], b: readonly string[]): [number, number][] {
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail])
    tail += 1
  const pairs: [number, number][] = []
  for (let place = 0; place < head; place += 1) pairs.push([place, place])
  const [left, right] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)]
  if (left.length * right.length <= LARGEST)
    for (const [i, j] of subsequence(left, right)) pairs.push([head + i, head + j])
  for (let place = tail; place > 0; place -= 1) pairs.push([a.length - place, b.length - place])
  return pairs
}

/** The longest common subsequence. */
function subsequence(a: readonly string[], b: readonly string[]): [number, number][] {
  const width = b.length + 1
  const longest = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number) => longest[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const pairs: [number, number][] = []
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) pairs.push([i++, j++])
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1
    else j += 1
  }
  return pairs
}

/** The difference of two texts, with `context` lines around each change. */
export function compare(old: string, fresh: string, context = 3): Hunk[] {
  const [a, b] = [linesOf(old), linesOf(fresh)]
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  const upTo = (endA: number, endB: number) => {
    for (; i < endA; i += 1) lines.push({ kind: 'remove', text: a[i] ?? '', old: i + 1 })
    for (; j < endB; j += 1) lines.push({ kind: 'add', text: b[j] ?? '', new: j + 1 })
  }
  for (const [x, y] of common(a, b)) {
    upTo(x, y)
    lines.push({ kind: 'same', text: a[x] ?? '', old: x + 1, new: y + 1 })
    i = x + 1
    j = y + 1
  }
  upTo(a.length, b.length)
  markWords(lines)
  return cut(lines, context)
}

/** The stretches of lines around changes, `context` lines more on each side; those that touch are one. */
function stretches(lines: readonly DiffLine[], context: number): [number, number][] {
  const found: [number, number][] = []
  lines.forEach((line, place) => {
    if (line.kind === 'same') return
    const [from, to] = [Math.max(0, place - context), Math.min(lines.length, place + 1 + context)]
    const last = found.at(-1)
    if (last && from <= last[1]) last[1] = to
    else found.push([from, to])
  })
  return found
}

function cut(lines: readonly DiffLine[], context: number): Hunk[] {
  let [old, fresh, place] = [1, 1, 0]
  const pass = (end: number) => {
    for (; place < end; place += 1) {
      if (lines[place]?.kind !== 'add') old += 1
      if (lines[place]?.kind !== 'remove') fresh += 1
    }
  }
  return stretches(lines, context).map(([from, to]) => {
    pass(from)
    const own = lines.slice(from, to)
    const has = (absent: DiffLine['kind']) => own.some((line) => line.kind !== absent)
    return { oldStart: has('add') ? old : old - 1, newStart: has('remove') ? fresh : fresh - 1, lines: own }
  })
}

// --- words ----------------------------------------------------------------------------------------------------------

const words = (text: string): string[] => text.match(/[\p{L}\p{N}_.-]+|\s+|[^\p{L}\p{N}_.\s-]/gu) ?? []

/** What two lines that say different values of one thing have in common decides which words are marked. */
export function wordSpans(old: string, fresh: string): [Span[], Span[]] | null {
  const [a, b] = [words(old), words(fresh)]
  if (a.length > 400 || b.length > 400) return null
  const pairs = common(a, b)
  const shared = pairs.reduce((sum, [i]) => sum + (a[i]?.length ?? 0), 0)
  if (shared * 4 < Math.max(old.length, fresh.length)) return null // another line, not the same changed
  return [
    spans(
      a,
      pairs.map(([i]) => i),
    ),
    spans(
      b,
      pairs.map(([, j]) => j),
    ),
  ]
}

function spans(parts: readonly string[], same: readonly number[]): Span[] {
  const kept = new Set(same)
  const out: Span[] = []
  parts.forEach((text, place) => {
    const marked = !kept.has(place)
    const last = out.at(-1)
    if (last && last.marked === marked) last.text += text
    else out.push({ text, marked })
  })
  return out
}

const nameOf = (text: string): string => /^\s*([^\s:=]+)/.exec(text)?.[1] ?? ''

/** Mark the words in lines that were replaced by one that begins alike. */
function markWords(lines: DiffLine[]): void {
  for (let place = 0; place < lines.length; ) {
    if (lines[place]?.kind === 'same') {
      place += 1
      continue
    }
    let end = place
    while (end < lines.length && lines[end]?.kind !== 'same') end += 1
    const block = lines.slice(place, end)
    const added = block.filter((line) => line.kind === 'add')
    for (const line of block.filter((each) => each.kind === 'remove')) {
      const found = added.findIndex((each) => !each.spans && nameOf(each.text) === nameOf(line.text))
      const partner = added[found]
      const pair = partner && wordSpans(line.text, partner.text)
      if (!pair) continue
      line.spans = pair[0]
      partner.spans = pair[1]
    }
    place = end
  }
}
