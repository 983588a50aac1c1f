import { expect, test } from 'vitest'
import { type Filter, found, type Line, merged, PAGE, paramsOf, parsed } from '@/pages/nodes/journal'

const line = (cursor: string, time: number, text = 'x'): Line => ({
  cursor,
  time,
  text,
  unit: 'u',
  identifier: 'i',
  priority: 6,
})
const all: Filter = { unit: '', priority: 7, since: '', until: '' }

test('lines are read; what is no JSON is shown as it is', () => {
  expect(parsed([JSON.stringify(line('a', 1))])[0]?.cursor).toBe('a')
  expect(parsed(['plain'])[0]?.text).toBe('plain')
})

test('lines that were read twice are there once', () => {
  const [a, b, c] = [line('a', 1), line('b', 2), line('c', 2)]
  expect(merged([a, b], [b, c]).map(({ cursor }) => cursor)).toEqual(['a', 'b', 'c'])
})

test('at first the last lines, then what is beside those that are there', () => {
  expect(paramsOf(all)).toEqual({ structured: true, lastentries: PAGE })
  expect(paramsOf(all, { after: line('a', 10.7) })).toEqual({ structured: true, since: 10 })
  expect(paramsOf(all, { before: line('a', 10.2) })).toEqual({ structured: true, lastentries: PAGE, until: 11 })
})

test('filters become parameters', () => {
  const asked = paramsOf({ unit: 'ssh.service', priority: 4, since: '2026-01-01T00:00', until: '' })
  expect(asked).toMatchObject({ unit: 'ssh.service', priority: '0..4' })
  expect(asked.since).toBe(Math.floor(new Date(2026, 0, 1).getTime() / 1000))
})

test('a search takes lines with all words', () => {
  const lines = [line('a', 1, 'Disk is full'), line('b', 2, 'disk added')]
  expect(found(lines, 'DISK full').map(({ cursor }) => cursor)).toEqual(['a'])
  expect(found(lines, ' ')).toHaveLength(2)
})
