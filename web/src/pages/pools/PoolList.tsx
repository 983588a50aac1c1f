import { Button, Text } from '@mantine/core'
import { IconBoxMultiple, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react'
import { lazy, Suspense, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { useMay } from '@/api/session'
import { useInventory } from '@/live/inventory'
import { type PoolEntry, poolEntries, removePoolJobs } from '@/pages/pools/list/entries'
import { BulkDialog } from '@/ui/Bulk/BulkDialog'
import { type BulkAction, type Column, DataTable, type RowAction } from '@/ui/DataTable'
import { bytes } from '@/ui/format'
import { Page } from '@/ui/Page'
import { useDialog } from '@/ui/useDialog'

const OperationDialog = lazy(async () => ({ default: (await import('@/forms/OperationDialog')).OperationDialog }))

type Ask = { kind: 'add' } | { kind: 'edit'; entry: PoolEntry } | { kind: 'remove'; entries: readonly PoolEntry[] }

const keyOf = ({ pool }: PoolEntry): string => pool
const hrefOf = ({ pool }: PoolEntry): string => `/pools/${encodeURIComponent(pool)}`
const REMOVE = <IconTrash size={16} aria-hidden />

function usePoolColumns(): readonly Column<PoolEntry>[] {
  const { t } = useTranslation('lists')
  return useMemo(
    () => [
      { id: 'pool', header: t('name'), value: keyOf, required: true, mobile: 'title', width: 160 },
      { id: 'comment', header: t('comment'), value: ({ comment }) => comment, mobile: 'meta', width: 260 },
      {
        id: 'guests',
        header: t('guests'),
        value: ({ guests }) => guests,
        cell: ({ running, guests }) => t('runningOf', { running, guests }),
        align: 'right',
        mobile: 'side',
        width: 150,
      },
      {
        id: 'memory',
        header: t('memorySize'),
        value: ({ memory }) => memory,
        cell: ({ memory }) => (memory > 0 ? bytes(memory) : ''),
        align: 'right',
        width: 120,
      },
    ],
    [t],
  )
}

function usePoolActions(may: boolean, ask: (ask: Ask) => void) {
  const { t } = useTranslation('lists')
  return useMemo(() => {
    if (!may) return {}
    const reason = (entries: readonly PoolEntry[]) =>
      entries.some(({ guests }) => guests > 0) ? t('poolNotEmpty') : undefined
    const actions = (entry: PoolEntry): RowAction[] => [
      {
        id: 'edit',
        label: t('edit'),
        icon: <IconPencil size={16} aria-hidden />,
        onClick: () => ask({ kind: 'edit', entry }),
      },
      {
        id: 'remove',
        label: t('remove'),
        icon: REMOVE,
        danger: true,
        divider: true,
        disabled: reason([entry]),
        onClick: () => ask({ kind: 'remove', entries: [entry] }),
      },
    ]
    const bulk: BulkAction<PoolEntry>[] = [
      {
        id: 'remove',
        label: t('remove'),
        icon: REMOVE,
        danger: true,
        primary: true,
        disabled: reason,
        onClick: (entries) => ask({ kind: 'remove', entries }),
      },
    ]
    return { actions, bulk }
  }, [t, may, ask])
}

/** All pools: groups of guests and storages to which rights are given together. */
export default function PoolList() {
  const { t } = useTranslation('lists')
  const { ready, pools, guests } = useInventory()
  const { data } = useApi('GET /pools', {})
  const rows = useMemo(() => poolEntries(pools.values(), data ?? [], guests.values()), [pools, data, guests])
  const dialog = useDialog<Ask>()
  const may = useMay('access', 'Pool.Allocate')
  const add = may && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => dialog.open({ kind: 'add' })}>
      {t('addPool')}
    </Button>
  )
  return (
    <Page title={t('pools')} actions={rows.length > 0 && add} flush>
      <DataTable
        id="pools"
        label={t('pools')}
        columns={usePoolColumns()}
        rows={rows}
        rowKey={keyOf}
        rowName={keyOf}
        href={hrefOf}
        loading={!ready}
        {...usePoolActions(may, dialog.open)}
        defaultSort="pool"
        empty={{ title: t('noPools'), description: t('noPoolsHint'), icon: <IconBoxMultiple />, action: add }}
      />
      {dialog.value && <PoolDialog key={dialog.key} ask={dialog.value} opened={dialog.opened} onClose={dialog.close} />}
    </Page>
  )
}

function PoolDialog({ ask, ...frame }: { ask: Ask; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation('lists')
  if (ask.kind === 'remove')
    return (
      <BulkDialog
        {...frame}
        title={t('removePools', { count: ask.entries.length })}
        submit={t('remove')}
        danger
        jobs={() => removePoolJobs(ask.entries)}
      >
        <Text>{t('removePoolText')}</Text>
      </BulkDialog>
    )
  if (ask.kind === 'add')
    return (
      <Suspense>
        <OperationDialog
          {...frame}
          operation="POST /pools"
          title={t('addPool')}
          submit={t('add')}
          basic={['poolid', 'comment']}
        />
      </Suspense>
    )
  const { pool, comment } = ask.entry
  return (
    <Suspense>
      <OperationDialog
        {...frame}
        operation="PUT /pools"
        title={t('editPool', { name: pool })}
        submit={t('apply')}
        fixed={{ poolid: pool }}
        values={{ comment }}
        only={['comment']}
      />
    </Suspense>
  )
}
