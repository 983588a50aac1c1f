import { describe, expect, it } from 'vitest'
import { compare, counts, parseDiff, unapply, wordSpans } from '@/ui/diff'

const CHANGED = ['--- now', '+++ then', '@@ -1,3 +1,3 @@', ' name: web', '-memory: 2048', '+memory: 4096', ' onboot: 1']

describe('parseDiff', () => {
  it('numbers the lines of both sides', () => {
    const [hunk] = parseDiff(CHANGED.join('\n'))
    expect(hunk?.lines.map(({ kind, old, new: fresh }) => [kind, old, fresh])).toEqual([
      ['same', 1, 1],
      ['remove', 2, undefined],
      ['add', undefined, 2],
      ['same', 3, 3],
    ])
  })

  it('takes lines that look like headers for lines', () => {
    const [hunk] = parseDiff('--- now\n+++ then\n@@ -1,2 +1 @@\n--- x\n-@@ -1 +1 @@\n+++ y\n')
    expect(hunk?.lines.map((line) => line.text)).toEqual(['-- x', '@@ -1 +1 @@', '++ y'])
  })

  it('reads several hunks, an empty range and an empty text', () => {
    expect(parseDiff('')).toEqual([])
    const hunks = parseDiff('@@ -0,0 +1,2 @@\n+a\n+b\n@@ -9 +11,0 @@\n-z')
    expect(hunks.map((hunk) => hunk.lines.length)).toEqual([2, 1])
    expect(counts(hunks)).toEqual({ added: 2, removed: 1 })
  })

  it('marks the words that changed', () => {
    const [, removed, added] = parseDiff(CHANGED.join('\n'))[0]?.lines ?? []
    expect(removed?.spans?.filter((span) => span.marked)).toEqual([{ text: '2048', marked: true }])
    expect(added?.spans?.filter((span) => span.marked)).toEqual([{ text: '4096', marked: true }])
  })
})

describe('wordSpans', () => {
  it('marks what differs in a property string', () => {
    const pair = wordSpans('net0: virtio=BC:24:11:AB:8F:B7,bridge=vmbr0', 'net0: virtio=BC:24:11:AB:8F:B7,bridge=vmbr1')
    expect(pair?.[1].filter((span) => span.marked).map((span) => span.text)).toEqual(['vmbr1'])
    expect(pair?.[1].map((span) => span.text).join('')).toBe('net0: virtio=BC:24:11:AB:8F:B7,bridge=vmbr1')
  })

  it('marks nothing in lines that have little in common', () => {
    expect(wordSpans('alpha beta gamma', 'one two three four')).toBeNull()
  })
})

describe('unapply', () => {
  it('takes a diff back', () => {
    expect(unapply('name: web\nmemory: 4096\nonboot: 1\n', parseDiff(CHANGED.join('\n')))).toBe(
      'name: web\nmemory: 2048\nonboot: 1\n',
    )
  })

  it('takes a creation back to nothing, and lines that went at the end', () => {
    expect(unapply('a\nb\n', parseDiff('@@ -0,0 +1,2 @@\n+a\n+b'))).toBe('')
    expect(unapply('a\n', parseDiff('@@ -1,3 +1 @@\n a\n-b\n-c'))).toBe('a\nb\nc\n')
    expect(unapply('a\nz\n', parseDiff('@@ -2,0 +2 @@\n+z'))).toBe('a\n')
    expect(unapply('a\nb\n', parseDiff('@@ -2 +1,0 @@\n-x'))).toBe('a\nx\nb\n')
  })
})

describe('compare', () => {
  it('is what the server would say, with its context', () => {
    const old = Array.from({ length: 30 }, (_, place) => `line ${place}`).join('\n')
    const fresh = old.replace('line 3\n', 'line three\n').replace('line 25', 'line 25\nmore')
    const hunks = compare(old, fresh)
    expect(hunks.map((hunk) => [hunk.oldStart, hunk.newStart, hunk.lines.length])).toEqual([
      [1, 1, 8],
      [24, 24, 7],
    ])
    expect(counts(hunks)).toEqual({ added: 2, removed: 1 })
  })

  it('joins changes that are near each other', () => {
    expect(compare('a\nb\nc\nd\n', 'A\nb\nc\nD\n').length).toBe(1)
    expect(
      compare('a\nb\nc\nd\n', 'A\nb\nc\nD\n')[0]
        ?.lines.map((line) => line.text)
        .join(''),
    ).toBe('aAbcdD')
    expect(compare('same\n', 'same\n')).toEqual([])
    expect(counts(compare('', 'a\nb\n'))).toEqual({ added: 2, removed: 0 })
  })

  it('gives back the old text', () => {
    const old = 'a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n'
    const fresh = 'a\nx\nc\nd\ne\nf\ng\nh\nj\nk\n'
    expect(unapply(fresh, compare(old, fresh, 0))).toBe(old)
    expect(unapply(fresh, compare(old, fresh))).toBe(old)
  })
})
