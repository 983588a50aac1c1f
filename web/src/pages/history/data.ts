import { type InfiniteData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { call } from '@/api/client'
import { onEvent } from '@/live/stream'
import {
  asked,
  type Details,
  type Filters,
  newer,
  type Place,
  placeOf,
  type Row,
  type Rows,
  searchOf,
} from '@/pages/history/timeline'

const PAGE = 50

export interface Timeline {
  rows: readonly Row[]
  /** New rows that are not shown yet. */
  fresh: readonly Row[]
  showFresh: () => void
  error: Error | null
  loading: boolean
  hasMore: boolean
  loadingMore: boolean
  more: () => void
  retry: () => void
}

type Pages = InfiniteData<Rows, string | undefined>

/** The rows for some filters. Events tell when there are more; `follow`: they are shown at once. */
export function useTimeline(filters: Filters, follow: boolean): Timeline {
  const client = useQueryClient()
  const params = useMemo(() => asked(filters), [filters])
  const key = useMemo(() => ['timeline', params] as const, [params])
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) =>
      call('GET /cluster/history', { ...params, before: pageParam, limit: PAGE }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: Rows) => page.next,
  })
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.rows) ?? [], [query.data])
  const [fresh, setFresh] = useState<readonly Row[]>([])

  const show = useCallback(
    (found: readonly Row[]) => {
      client.setQueryData<Pages>([...key], (before) => {
        const [first, ...rest] = before?.pages ?? []
        if (!before || !first) return before
        return { ...before, pages: [{ ...first, rows: [...newer(first.rows, found), ...first.rows] }, ...rest] }
      })
      setFresh([])
    },
    [client, key],
  )
  useNewRows(params, rows, (found) => (follow ? show(found) : setFresh(found)))

  return {
    rows,
    fresh,
    showFresh: () => show(fresh),
    error: query.error,
    loading: query.isPending,
    hasMore: query.hasNextPage,
    loadingMore: query.isFetchingNextPage,
    more: () => void query.fetchNextPage(),
    retry: () => void query.refetch(),
  }
}

/** Hear of rows that have come. */
function useNewRows(params: ReturnType<typeof asked>, rows: readonly Row[], heard: (found: Row[]) => void): void {
  const known = useLatest({ params, rows, heard })
  useEffect(() => {
    let timer = 0
    const look = async () => {
      const asking = known.current.params
      const { rows: found } = await call('GET /cluster/history', { ...asking, limit: PAGE })
      if (asking !== known.current.params) return
      const fresh = newer(known.current.rows, found)
      if (fresh.length > 0) known.current.heard(fresh)
    }
    const stop = onEvent((event) => {
      if (event.kind !== 'change') return
      window.clearTimeout(timer)
      timer = window.setTimeout(() => void look().catch(() => undefined), 250)
    })
    return () => {
      window.clearTimeout(timer)
      stop()
    }
  }, [known])
}

function useLatest<T>(value: T): { current: T } {
  const [place] = useState(() => ({ current: value }))
  useEffect(() => {
    place.current = value
  })
  return place
}

/** One revision. It never changes, so it is read once. */
export function useRevision(revision: string | undefined, enabled = true) {
  return useQuery<Details, Error>({
    queryKey: ['revision', revision],
    queryFn: ({ signal }) => call('GET /cluster/history/{revision}', { revision: revision ?? '' }, { signal }),
    enabled: enabled && revision !== undefined,
  })
}

/** What the URL says, and the way to change it. Each filter or opened revision is a step that Back takes back. */
export function usePlace(): [Place, (change: Partial<Place>) => void] {
  const search = useSearch({ strict: false }) as Record<string, unknown>
  const navigate = useNavigate()
  const place = useMemo(() => placeOf(search), [search])
  const go = useCallback(
    (change: Partial<Place>) =>
      void navigate({
        to: '.',
        search: ((before: Record<string, unknown>) => ({
          ...before,
          ...searchOf({ ...placeOf(before), ...change }),
        })) as never,
      }),
    [navigate],
  )
  return [place, go]
}
