import { Button } from '@mantine/core'
import { IconDatabase, IconPlus } from '@tabler/icons-react'
import { useCallback, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { useInventory, useNodes, useStorages } from '@/live/inventory'
import { useMayStorage, useStorageActions, useStorageBulk } from '@/pages/storage/list/actions'
import { useStorageColumns } from '@/pages/storage/list/columns'
import { type Ask, StorageDialog } from '@/pages/storage/list/dialogs'
import { type StorageEntry, storageEntries } from '@/pages/storage/list/entries'
import { DataTable } from '@/ui/DataTable'
import { Page } from '@/ui/Page'
import { useDialog } from '@/ui/useDialog'

const keyOf = ({ key }: StorageEntry): string => key
const nameOf = ({ storage, node }: StorageEntry): string => (node ? `${storage} (${node})` : storage)

function useEntries(): StorageEntry[] {
  const rows = useStorages()
  const { data } = useApi('GET /storage', {})
  return useMemo(() => storageEntries(rows, data ?? []), [rows, data])
}

/** Every storage on every node. */
export default function StorageList() {
  const { t } = useTranslation('lists')
  const { ready } = useInventory()
  const [first] = useNodes()
  const rows = useEntries()
  const dialog = useDialog<Ask>()
  const add = useMayStorage() && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => dialog.open({ kind: 'add' })}>
      {t('addStorage')}
    </Button>
  )
  const anywhere = first?.node ?? ''
  // What no node reports is shown as the first one sees it.
  const hrefOf = useCallback(
    ({ storage, node }: StorageEntry) =>
      `/storage/${encodeURIComponent(node || anywhere)}/${encodeURIComponent(storage)}`,
    [anywhere],
  )
  return (
    <Page title={t('storages')} actions={rows.length > 0 && add} flush>
      <DataTable
        id="storage"
        label={t('storages')}
        columns={useStorageColumns()}
        rows={rows}
        rowKey={keyOf}
        rowName={nameOf}
        href={hrefOf}
        loading={!ready}
        actions={useStorageActions(dialog.open)}
        bulk={useStorageBulk(dialog.open)}
        defaultSort="storage"
        empty={{ title: t('noStorage'), description: t('noStorageHint'), icon: <IconDatabase />, action: add }}
      />
      {dialog.value && (
        <StorageDialog key={dialog.key} ask={dialog.value} opened={dialog.opened} onClose={dialog.close} />
      )}
    </Page>
  )
}
