import { QueryClient, type UseQueryOptions, useQuery } from '@tanstack/react-query'
import { ApiError, call, type Operation, type Params, type Result } from '@/api/client'
import { onSession, sessionState } from '@/api/session'

/**
 * Nothing polls: an answer stays good until an event says otherwise (`live/changes.ts` marks the queries whose records
 * changed). Keys are `[operation, parameters]`.
 */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      retry: (count, error) => !(error instanceof ApiError) && count < 3,
    },
  },
})

/** What one user has read is not for the next. */
let reader = ''
onSession(() => {
  const now = sessionState()
  const user = now.kind === 'open' || now.kind === 'lost' ? now.session.username : ''
  if (reader && user !== reader) queries.clear()
  reader = user
})

type Options<O extends Operation> = Omit<UseQueryOptions<Result<O>, Error>, 'queryKey' | 'queryFn'>

/** The answer of a GET, kept and kept fresh. */
export function useApi<O extends Operation>(operation: O, params: Params<O>, options: Options<O> = {}) {
  return useQuery<Result<O>, Error>({
    queryKey: [operation, params],
    queryFn: ({ signal }) => call(operation, params, { signal }),
    ...options,
  })
}

/** Read again what an operation answered. */
export function refresh(operation: Operation, params?: Record<string, unknown>): Promise<void> {
  return queries.invalidateQueries({ queryKey: params ? [operation, params] : [operation] })
}
