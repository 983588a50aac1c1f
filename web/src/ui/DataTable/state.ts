import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { isFiltered, parseQuery, type Search, withQuery } from './query'
import type { Column, Query, TableState } from './types'

type Filtered = Pick<Column<never>, 'id' | 'filter'>

function stateOf(query: Query, change: (next: Query) => void): TableState {
  return {
    query,
    setSearch: (q) => change({ ...query, q }),
    setSort: (sort) => change({ ...query, sort }),
    setFilter: (column, values) => {
      const { [column]: _, ...others } = query.filters
      change({ ...query, filters: values.length > 0 ? { ...others, [column]: values } : others })
    },
    clear: () => change({ ...query, q: '', filters: {} }),
  }
}

/** The query in the URL: shared with the address, and back where it was when one comes back. */
export function useUrlState(columns: readonly Filtered[], defaultSort = ''): TableState {
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  return useMemo(() => {
    const query = parseQuery(search, columns, defaultSort)
    return stateOf(query, (next) => {
      const change = (now: Search) => withQuery(now, columns, next, defaultSort)
      void navigate({ to: '.', search: change as never, replace: isFiltered(query) })
    })
  }, [search, columns, defaultSort, navigate])
}

/** The query for as long as the table is there. */
export function useMemoryState(columns: readonly Filtered[], defaultSort = ''): TableState {
  const [query, setQuery] = useState(() => parseQuery({}, columns, defaultSort))
  return useMemo(() => stateOf(query, setQuery), [query])
}
