import { describe, expect, it } from 'vitest'
import { csv, csvCell } from './csv'
import { layoutOf, windowOf } from './layout'
import { compareNatural } from './natural'
import { parseQuery, withQuery } from './query'
import { filterRows, optionCounts, sortRows } from './rows'
import { NOTHING, ranged, toggled } from './selection'
import type { Column, Query } from './types'

interface Machine {
  name: string
  status: string
  tags: readonly string[]
  cpu: number | null
}

const columns: Column<Machine>[] = [
  { id: 'name', header: 'Name', value: ({ name }) => name, filter: 'text' },
  { id: 'status', header: 'Status', value: ({ status }) => status, filter: 'options', label: (value) => `is ${value}` },
  { id: 'tag', header: 'Tags', value: ({ tags }) => tags, filter: 'options' },
  { id: 'cpu', header: 'CPU', value: ({ cpu }) => cpu },
]
const rows: Machine[] = [
  { name: 'web-10', status: 'running', tags: ['web', 'prod'], cpu: 0.5 },
  { name: 'Web-2', status: 'stopped', tags: ['web'], cpu: null },
  { name: 'db-1', status: 'running', tags: [], cpu: 0.25 },
]
const query = (part: Partial<Query>): Query => ({ q: '', sort: null, filters: {}, ...part })
const names = (some: readonly Machine[]) => some.map(({ name }) => name)

describe('natural order', () => {
  it('counts numbers and forgets case', () => {
    const mixed = ['disk10', 'Disk2', 'disk1', 'disk02']
    expect([...mixed].sort(compareNatural)).toEqual(['disk1', 'Disk2', 'disk02', 'disk10'])
  })
  it('is one for all numbers and accents', () => {
    expect(compareNatural('n99999999999', 'n100000000000')).toBeLessThan(0)
    expect(compareNatural('été', 'etf')).toBeLessThan(0)
  })
})

describe('filterRows', () => {
  it('looks for all words, wherever they stand', () => {
    expect(names(filterRows(rows, columns, query({ q: 'WEB running' })))).toEqual(['web-10'])
  })
  it('does not search numbers', () => {
    expect(filterRows(rows, columns, query({ q: '0.25' }))).toEqual([])
  })
  it('takes one of the values of each filter', () => {
    const filters = { status: ['running', 'paused'], tag: ['prod'] }
    expect(names(filterRows(rows, columns, query({ filters })))).toEqual(['web-10'])
  })
  it('leaves out one filter, for the counts beside its options', () => {
    const filters = { status: ['stopped'] }
    const others = filterRows(rows, columns, query({ filters }), columns, new WeakMap(), 'status')
    expect(others).toHaveLength(3)
  })
  it('answers the same list if nothing is asked', () => {
    expect(filterRows(rows, columns, query({}))).toBe(rows)
  })
})

describe('sortRows', () => {
  it('sorts naturally', () => {
    expect(names(sortRows(rows, columns, { column: 'name', descending: false }))).toEqual(['db-1', 'Web-2', 'web-10'])
  })
  it('keeps what has no value last in both directions', () => {
    expect(names(sortRows(rows, columns, { column: 'cpu', descending: false }))).toEqual(['db-1', 'web-10', 'Web-2'])
    expect(names(sortRows(rows, columns, { column: 'cpu', descending: true }))).toEqual(['web-10', 'db-1', 'Web-2'])
  })
})

describe('optionCounts', () => {
  const [, status, tags] = columns
  it('counts each value of a list', () => {
    expect(tags && optionCounts(rows, tags)).toEqual([
      { value: 'prod', count: 1 },
      { value: 'web', count: 2 },
    ])
  })
  it('keeps what is wanted though no row has it', () => {
    expect(status && optionCounts(rows, status, ['paused'])).toContainEqual({ value: 'paused', count: 0 })
  })
  it('offers only what a column says there is', () => {
    const closed = { id: 'status', header: '', value: ({ status: word }: Machine) => word, options: ['stopped'] }
    expect(optionCounts(rows, closed)).toEqual([{ value: 'stopped', count: 1 }])
  })
})

describe('csv', () => {
  it('quotes what must be, and keeps numbers', () => {
    expect(csvCell('a,"b"\n')).toBe('"a,""b""\n"')
    expect(csvCell(-1.5)).toBe('-1.5')
    expect(csvCell(null)).toBe('')
  })
  it('lets no spreadsheet execute a text', () => {
    for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1']) expect(csvCell(text).replace('"', '')).toMatch(/^'/)
  })
  it('has a mark, a header and CRLF', () => {
    expect(csv(rows.slice(0, 1), columns)).toBe('\uFEFFName,Status,Tags,CPU\r\nweb-10,running,"web, prod",0.5\r\n')
  })
})

describe('the query in the URL', () => {
  it('is read and written', () => {
    const search = { q: 'web', sort: '-cpu', status: 'running,paused', create: 'vm' }
    const read = parseQuery(search, columns)
    expect(read).toEqual({
      q: 'web',
      sort: { column: 'cpu', descending: true },
      filters: { status: ['running', 'paused'] },
    })
    expect(withQuery({ create: 'vm' }, columns, read)).toEqual(search)
  })
  it('takes what a person may type', () => {
    expect(parseQuery({ q: 100, tag: ['a', 'b'] }, columns)).toEqual(query({ q: '100', filters: { tag: ['a', 'b'] } }))
  })
  it('leaves out the order that is usual, and filters that are over', () => {
    const usual = parseQuery({}, columns, 'name')
    expect(usual.sort).toEqual({ column: 'name', descending: false })
    expect(withQuery({ status: 'running', q: 'x' }, columns, usual, 'name')).toEqual({})
  })
  it('keeps commas within a value', () => {
    const wish = query({ filters: { tag: ['a,b', '5%2C'] } })
    expect(parseQuery(withQuery({}, columns, wish), columns)).toEqual(wish)
  })
  it('does not look at columns without a filter', () => {
    expect(parseQuery({ cpu: '1' }, columns).filters).toEqual({})
  })
})

describe('selection', () => {
  const keys = ['a', 'b', 'c', 'd']
  it('toggles', () => {
    expect([...toggled(toggled(NOTHING, 'a'), 'b')]).toEqual(['a', 'b'])
    expect([...toggled(new Set(['a']), 'a')]).toEqual([])
  })
  it('takes or drops a range, in both directions', () => {
    expect([...ranged(new Set(['a']), keys, 0, 2)]).toEqual(['a', 'b', 'c'])
    expect([...ranged(new Set(['d']), keys, 3, 1)].sort()).toEqual(['b', 'c', 'd'])
    expect([...ranged(new Set(keys), keys, 0, 2)]).toEqual(['d'])
  })
})

describe('windowOf', () => {
  it('stays as large as it was, within the list', () => {
    const { size } = windowOf(100, 120, 1000)
    expect(size).toBe(37)
    expect(windowOf(100, 119, 1000, size).size).toBe(size)
    expect(windowOf(0, 20, 1000, size).from).toBe(0)
    expect(windowOf(980, 999, 1000, size)).toEqual({ from: 1000 - size, size })
    expect(windowOf(0, 2, 3, size).from).toBe(0)
  })
})

describe('layoutOf', () => {
  it('shares what is left among columns that nobody has sized', () => {
    const { template, minWidth } = layoutOf(
      [
        { id: 'a', header: 'A', value: () => '', width: 100 },
        { id: 'b', header: 'B', value: () => '', width: 50, fixed: true },
        { id: 'c', header: 'C', value: () => '' },
      ],
      { c: 200 },
      true,
      46,
    )
    expect(template).toBe('44px minmax(100px, 100fr) 50px 200px 46px')
    expect(minWidth).toBe(440)
  })
  it('fills the row if all have been', () => {
    expect(layoutOf([{ id: 'a', header: 'A', value: () => '' }], { a: 60 }, false, 46).template).toBe(
      '60px minmax(46px, 1fr)',
    )
  })
})
