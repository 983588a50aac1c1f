import { Text } from '@mantine/core'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { enableJobs, removeJobs, type StorageEntry } from '@/pages/storage/list/entries'
import { BulkDialog } from '@/ui/Bulk/BulkDialog'

const OperationDialog = lazy(async () => ({ default: (await import('@/forms/OperationDialog')).OperationDialog }))

export type Ask = { kind: 'add' } | { kind: 'edit' | 'remove' | 'disable'; entries: readonly StorageEntry[] }

interface Frame {
  opened: boolean
  onClose: () => void
}

export function StorageDialog({ ask, ...frame }: Frame & { ask: Ask }) {
  if (ask.kind === 'add') return <Add {...frame} />
  if (ask.kind === 'edit') return ask.entries[0] ? <Edit storage={ask.entries[0].storage} {...frame} /> : null
  if (ask.kind === 'remove') return <Remove entries={ask.entries} {...frame} />
  return <Disable entries={ask.entries} {...frame} />
}

function Add(frame: Frame) {
  const { t } = useTranslation('lists')
  return (
    <Suspense>
      <OperationDialog
        opened={frame.opened}
        onClose={frame.onClose}
        operation="POST /storage"
        title={t('addStorage')}
        submit={t('add')}
        order={['type', 'storage', 'path', 'content', 'nodes']}
        basic={['type', 'storage', 'path', 'content', 'nodes']}
      />
    </Suspense>
  )
}

function Edit({ storage, ...frame }: Frame & { storage: string }) {
  const { t } = useTranslation('lists')
  const { data } = useApi('GET /storage/{storage}', { storage })
  if (!data) return null
  return (
    <Suspense>
      <OperationDialog
        opened={frame.opened}
        onClose={frame.onClose}
        operation="PUT /storage/{storage}"
        title={t('editStorage', { name: storage })}
        submit={t('apply')}
        fixed={{ storage }}
        values={data}
        omit={['delete', 'digest']}
        basic={['content', 'nodes', 'disable']}
      />
    </Suspense>
  )
}

function Remove({ entries, ...frame }: Frame & { entries: readonly StorageEntry[] }) {
  const { t } = useTranslation('lists')
  const jobs = removeJobs(entries)
  return (
    <BulkDialog
      {...frame}
      title={t('removeStorages', { count: jobs.length })}
      submit={t('remove')}
      danger
      jobs={() => jobs}
    >
      <Text>{t('removeStorageText')}</Text>
    </BulkDialog>
  )
}

function Disable({ entries, ...frame }: Frame & { entries: readonly StorageEntry[] }) {
  const { t } = useTranslation('lists')
  return (
    <BulkDialog {...frame} title={t('disable')} submit={t('disable')} jobs={() => enableJobs(entries, false)}>
      <Text>{t('disableText')}</Text>
    </BulkDialog>
  )
}
