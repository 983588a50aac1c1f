import { Button } from '@mantine/core'
import { IconDatabase } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useApi } from '@/api/query'
import { type Column, DataTable } from '@/ui/DataTable'
import { bytes, percent } from '@/ui/format'
import { StatusDot } from '@/ui/StatusDot'
import { UsageBar } from '@/ui/UsageBar'

type Storage = Result<'GET /nodes/{node}/storage'>[number]
const NONE: readonly Storage[] = []
const nameOf = (row: Storage): string => row.storage ?? ''
type State = 'active' | 'inactive' | 'disabled'
const stateOf = (row: Storage): State => (row.enabled !== 1 ? 'disabled' : row.active === 1 ? 'active' : 'inactive')
const TONE = { active: 'OK', inactive: 'error', disabled: 'stopped' } as const

function useColumns(): Column<Storage>[] {
  const { t } = useTranslation(['node', 'common'])
  return useMemo(
    () => [
      { id: 'storage', header: t('storage.id'), value: nameOf, width: 150, required: true, mobile: 'title' },
      { id: 'type', header: t('storage.type'), value: (row) => row.type, width: 80, filter: 'options', mobile: 'meta' },
      {
        id: 'content',
        header: t('storage.content'),
        value: (row) => row.content.split(',').filter(Boolean),
        width: 240,
        filter: 'options',
      },
      {
        id: 'state',
        header: t('storage.state'),
        value: stateOf,
        label: (value) => t(`storage.${value as State}`),
        cell: (row) => <StatusDot status={TONE[stateOf(row)]} label={t(`storage.${stateOf(row)}`)} />,
        width: 120,
        filter: 'options',
        mobile: 'side',
      },
      {
        id: 'shared',
        header: t('storage.shared'),
        value: (row) => (row.shared === 1 ? t('common:yes') : t('common:no')),
        width: 80,
        optional: true,
      },
      {
        id: 'usage',
        header: t('storage.usage'),
        value: (row) => row.used_fraction ?? 0,
        cell: (row) =>
          row.active === 1 && (
            <UsageBar
              fraction={row.used_fraction ?? 0}
              text={percent(row.used_fraction ?? 0)}
              hint={`${bytes(row.used)} / ${bytes(row.total)}`}
            />
          ),
        width: 150,
        mobile: 'meta',
      },
      {
        id: 'avail',
        header: t('storage.free'),
        value: (row) => row.avail,
        cell: (row) => row.active === 1 && bytes(row.avail),
        width: 100,
        align: 'right',
      },
    ],
    [t],
  )
}

export default function StorageTab({ node }: { node: string }) {
  const { t } = useTranslation('node')
  const query = useApi('GET /nodes/{node}/storage', { node }, { staleTime: 0 })
  const columns = useColumns()
  return (
    <DataTable
      id="node-storage"
      label={t('storage.list')}
      columns={columns}
      rows={query.data ?? NONE}
      rowKey={nameOf}
      rowName={nameOf}
      href={(row) => `/storage/${encodeURIComponent(node)}/${encodeURIComponent(nameOf(row))}`}
      loading={query.isPending}
      error={query.error}
      onRetry={() => void query.refetch()}
      toolbar={
        <Button
          size="xs"
          ml="auto"
          variant="default"
          component={Link}
          to="/datacenter/$tab"
          params={{ tab: 'storage' } as never}
        >
          {t('storage.define')}
        </Button>
      }
      empty={{ title: t('storage.emptyTitle'), description: t('storage.emptyText'), icon: <IconDatabase /> }}
    />
  )
}
