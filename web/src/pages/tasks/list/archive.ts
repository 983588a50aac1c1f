import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { callWithTotal } from '@/api/client'
import type { TaskInfo } from '@/live/types'
import { archiveParams, asksArchive, type Wish } from '@/pages/tasks/list/entries'
import type { Paged } from '@/ui/DataTable'

const PAGE = 100
const OPERATION = 'GET /nodes/{node}/tasks'

/** A node's ended tasks, a page at a time. */
export function useArchive(node: string, wish: Wish) {
  const params = useMemo(() => ({ node, ...archiveParams(wish) }), [node, wish])
  const query = useInfiniteQuery({
    queryKey: [OPERATION, params, 'pages'],
    queryFn: ({ pageParam, signal }) =>
      callWithTotal(OPERATION, { ...params, start: pageParam, limit: PAGE }, { signal }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const read = pages.reduce((sum, { data }) => sum + data.length, 0)
      return last.data.length > 0 && read < last.total ? read : undefined
    },
    enabled: node !== '' && asksArchive(wish),
  })
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query
  const rows = useMemo(() => data?.pages.flatMap((page) => page.data as TaskInfo[]) ?? [], [data])
  const total = data?.pages.at(-1)?.total
  const paged = useMemo<Paged>(
    () => ({
      total,
      hasMore: hasNextPage,
      loadingMore: isFetchingNextPage,
      loadMore: () => void fetchNextPage(),
    }),
    [total, hasNextPage, isFetchingNextPage, fetchNextPage],
  )
  return { rows, paged, loading: query.isLoading, error: query.error, retry: () => void query.refetch() }
}
