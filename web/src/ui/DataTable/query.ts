/** What is asked of a list, as parameters of the URL: `?q=web&sort=-cpu&status=running,paused&tag=prod`. */
import type { Column, Query, Sort } from './types'

export type Search = Readonly<Record<string, unknown>>

const escaped = (value: string): string => value.replaceAll('%', '%25').replaceAll(',', '%2C')
const unescaped = (value: string): string => value.replaceAll('%2C', ',').replaceAll('%25', '%')

function textsOf(value: unknown): string[] {
  if (value === undefined || value === null) return []
  const parts = Array.isArray(value) ? value : [value]
  return parts
    .flatMap((part) => String(part).split(','))
    .filter(Boolean)
    .map(unescaped)
}

export function parseSort(text: string): Sort | null {
  if (!text) return null
  return text.startsWith('-') ? { column: text.slice(1), descending: true } : { column: text, descending: false }
}

export const printSort = (sort: Sort): string => (sort.descending ? '-' : '') + sort.column

type Filtered = Pick<Column<never>, 'id' | 'filter'>

/** The query that the URL's parameters say; what they say of other things is not looked at. */
export function parseQuery(search: Search, columns: readonly Filtered[], defaultSort = ''): Query {
  const filters: Record<string, readonly string[]> = {}
  for (const { id, filter } of columns) {
    const values = filter ? textsOf(search[id]) : []
    if (values.length > 0) filters[id] = values
  }
  const sort = search.sort === undefined ? defaultSort : String(search.sort)
  return { q: search.q === undefined ? '' : String(search.q), sort: parseSort(sort), filters }
}

/** The URL's parameters after a change of the query; others stay. */
export function withQuery(search: Search, columns: readonly Filtered[], query: Query, defaultSort = ''): Search {
  const next: Record<string, unknown> = { ...search }
  const set = (key: string, value: string | undefined) => {
    if (value === undefined || value === '') delete next[key]
    else next[key] = value
  }
  set('q', query.q)
  const sort = query.sort ? printSort(query.sort) : ''
  set('sort', sort === defaultSort ? undefined : sort)
  for (const { id, filter } of columns) if (filter) set(id, query.filters[id]?.map(escaped).join(','))
  return next
}

export const isFiltered = (query: Query): boolean => query.q.trim() !== '' || Object.keys(query.filters).length > 0
