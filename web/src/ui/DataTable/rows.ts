/** Which rows are shown, and in what order. */
import { compareNatural, naturalKey } from './natural'
import type { Column, Query, Sort, Value } from './types'

export function textOf(value: Value): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'object') return value.join(', ')
  return String(value)
}

/** A value as the options of a filter: a list has several. */
export function optionsOf(value: Value): readonly string[] {
  if (typeof value === 'object' && value !== null) return value
  return [textOf(value)]
}

const isNothing = (value: Value): boolean =>
  value === null || value === undefined || value === '' || (typeof value === 'object' && value.length === 0)

const searched = <Row>(column: Column<Row>, row: Row): boolean => column.search ?? typeof column.value(row) !== 'number'

/** What the search looks at; remembered for each row until it is replaced. */
export function haystack<Row extends object>(
  row: Row,
  columns: readonly Column<Row>[],
  memory: WeakMap<Row, string>,
): string {
  const known = memory.get(row)
  if (known !== undefined) return known
  const parts: string[] = []
  for (const column of columns) {
    if (!searched(column, row)) continue
    const text = textOf(column.value(row))
    parts.push(text)
    if (column.label && text) parts.push(column.label(text))
  }
  const made = parts.join('\n').toLowerCase()
  memory.set(row, made)
  return made
}

const words = (q: string): string[] => q.toLowerCase().split(/\s+/).filter(Boolean)

function fits<Row>(column: Column<Row>, row: Row, wanted: readonly string[]): boolean {
  const value = column.value(row)
  if (column.filter === 'text') {
    const text = textOf(value).toLowerCase()
    return wanted.some((part) => text.includes(part.toLowerCase()))
  }
  const there = optionsOf(value)
  return wanted.some((one) => there.includes(one))
}

/** The rows that a query wants: all words of the search, and for each filtered column one of the values. */
export function filterRows<Row extends object>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  query: Query,
  visible: readonly Column<Row>[] = columns,
  memory: WeakMap<Row, string> = new WeakMap(),
  except?: string,
): readonly Row[] {
  const wanted = words(query.q)
  const tests = columns.flatMap((column) => {
    const values = query.filters[column.id]
    return column.filter && values?.length && column.id !== except ? [{ column, values }] : []
  })
  if (wanted.length === 0 && tests.length === 0) return rows
  return rows.filter((row) => {
    for (const { column, values } of tests) if (!fits(column, row, values)) return false
    if (wanted.length === 0) return true
    const hay = haystack(row, visible, memory)
    return wanted.every((word) => hay.includes(word))
  })
}

function compareKeys(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [x, y] = [String(a), String(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

function sortKey(value: Value): string | number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  return naturalKey(textOf(value))
}

/** Sorted by a column; equal ones keep their order, and what has no value stands last in both directions. */
export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: Sort | null,
): readonly Row[] {
  const column = sort && columns.find((each) => each.id === sort.column)
  if (!column) return rows
  const sign = sort.descending ? -1 : 1
  const keyed = rows.map((row) => {
    const value = column.value(row)
    return { row, none: isNothing(value), key: sortKey(value) }
  })
  keyed.sort((a, b) => {
    if (a.none || b.none) return Number(a.none) - Number(b.none)
    return sign * compareKeys(a.key, b.key)
  })
  return keyed.map(({ row }) => row)
}

export interface Option {
  value: string
  count: number
}

/** The values of a column among the rows, with how many have each; the ones that are wanted are always there. */
export function optionCounts<Row>(
  rows: readonly Row[],
  column: Column<Row>,
  wanted: readonly string[] = [],
): readonly Option[] {
  const counts = new Map<string, number>()
  for (const value of [...(column.options ?? []), ...wanted]) counts.set(value, 0)
  for (const row of rows)
    for (const value of optionsOf(column.value(row)))
      if (!column.options || counts.has(value)) counts.set(value, (counts.get(value) ?? 0) + 1)
  counts.delete('')
  const all = [...counts].map(([value, count]) => ({ value, count }))
  return column.options ? all : all.sort((a, b) => compareNatural(a.value, b.value))
}
