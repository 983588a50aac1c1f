import { Button, Text } from '@mantine/core'
import { IconHistory, IconRefresh } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useApi } from '@/api/query'
import { type Column, DataTable } from '@/ui/DataTable'
import { moment } from '@/ui/format'

type Entry = Result<'GET /cluster/log'>[number]
type Level = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7'
const NONE: readonly Entry[] = []
const MOST = 500

/** What happened in the cluster, newest first. */
export default function LogTab() {
  const { t } = useTranslation(['datacenter', 'common'])
  const query = useApi('GET /cluster/log', { max: MOST })
  const columns = useMemo<Column<Entry>[]>(
    () => [
      {
        id: 'time',
        header: t('log.time'),
        value: (row) => row.time,
        cell: (row) => moment(row.time),
        width: 180,
        fixed: true,
        required: true,
        mobile: 'meta',
      },
      { id: 'user', header: t('log.user'), value: (row) => row.user, width: 140, filter: 'options', mobile: 'side' },
      { id: 'node', header: t('log.node'), value: (row) => row.node, width: 90, filter: 'options' },
      {
        id: 'pri',
        header: t('log.severity'),
        value: (row) => String(row.pri),
        label: (value) => t(`log.level.${value as Level}`),
        cell: (row) => t(`log.level.${String(row.pri) as Level}`),
        width: 110,
        filter: 'options',
      },
      { id: 'tag', header: t('log.service'), value: (row) => row.tag, width: 110, optional: true, filter: 'options' },
      {
        id: 'msg',
        header: t('log.message'),
        value: (row) => row.msg,
        cell: (row) => (
          <Text size="sm" truncate title={row.msg}>
            {row.msg}
          </Text>
        ),
        width: 480,
        mobile: 'title',
      },
    ],
    [t],
  )
  return (
    <DataTable
      id="cluster-log"
      label={t('log.list')}
      columns={columns}
      rows={query.data ?? NONE}
      rowKey={(row) => row.id}
      rowName={(row) => row.msg}
      loading={query.isPending}
      error={query.error}
      onRetry={() => void query.refetch()}
      defaultSort="-time"
      toolbar={
        <>
          <Button
            size="xs"
            variant="default"
            ml="auto"
            leftSection={<IconRefresh size={14} />}
            loading={query.isFetching}
            onClick={() => void query.refetch()}
          >
            {t('log.reload')}
          </Button>
          <Button size="xs" variant="default" component={Link} to="/history" leftSection={<IconHistory size={14} />}>
            {t('log.history')}
          </Button>
        </>
      }
      empty={{ title: t('log.emptyTitle') }}
    />
  )
}
