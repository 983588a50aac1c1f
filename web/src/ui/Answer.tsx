import { Button, EmptyState, Skeleton, Stack } from '@mantine/core'
import { IconLock, IconPlugConnectedX } from '@tabler/icons-react'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/api/client'
import { explain } from '@/ui/act'

export const isForbidden = (error: unknown): boolean => error instanceof ApiError && error.status === 403

/** Where somebody may not look: no error, only a fact, with what would be needed. */
export function NoRight({ needs }: { needs?: string }) {
  const { t } = useTranslation(['datacenter', 'common'])
  return (
    <EmptyState
      py="xl"
      icon={<IconLock />}
      title={t('common:notAllowed')}
      description={needs ? t('needs', { privilege: needs }) : t('askForRight')}
    />
  )
}

type Asked<T> = Pick<UseQueryResult<T, Error>, 'data' | 'error' | 'refetch'>

/** What was read; until then a placeholder, and calm words when it can't be read. */
export function Answer<T>({
  query,
  needs,
  children,
}: {
  query: Asked<T>
  /** The privilege that reading takes, for those who lack it. */
  needs?: string
  children: (data: T) => ReactNode
}) {
  const { t } = useTranslation()
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.error === null) {
    return (
      <Stack aria-busy="true" aria-label={t('loading')} role="status">
        <Skeleton h={18} w="40%" />
        <Skeleton h={18} w="70%" />
        <Skeleton h={18} w="55%" />
      </Stack>
    )
  }
  if (isForbidden(query.error)) return <NoRight needs={needs} />
  return (
    <EmptyState py="xl" icon={<IconPlugConnectedX />} title={t('failed')} description={explain(query.error)}>
      <EmptyState.Actions>
        <Button variant="default" onClick={() => void query.refetch()}>
          {t('retry')}
        </Button>
      </EmptyState.Actions>
    </EmptyState>
  )
}
