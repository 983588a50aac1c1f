import { IconCircleCheck, IconCircleOff, IconPencil, IconTrash } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/api/session'
import type { Ask } from '@/pages/storage/list/dialogs'
import { enableJobs, type StorageEntry } from '@/pages/storage/list/entries'
import { runBulk } from '@/ui/Bulk/runBulk'
import type { BulkAction, RowAction } from '@/ui/DataTable'

const EDIT = <IconPencil size={16} aria-hidden />
const ENABLE = <IconCircleCheck size={16} aria-hidden />
const DISABLE = <IconCircleOff size={16} aria-hidden />
const REMOVE = <IconTrash size={16} aria-hidden />

export const useMayStorage = (): boolean => useMay('storage', 'Datastore.Allocate')

export function useStorageActions(
  ask: (ask: Ask) => void,
): ((entry: StorageEntry) => readonly RowAction[]) | undefined {
  const { t } = useTranslation('lists')
  if (!useMayStorage()) return undefined
  return (entry) => {
    const entries = [entry]
    return [
      { id: 'edit', label: t('edit'), icon: EDIT, onClick: () => ask({ kind: 'edit', entries }) },
      entry.enabled
        ? { id: 'disable', label: t('disable'), icon: DISABLE, onClick: () => ask({ kind: 'disable', entries }) }
        : {
            id: 'enable',
            label: t('enable'),
            icon: ENABLE,
            onClick: () => void runBulk(t('enable'), enableJobs(entries, true)),
          },
      {
        id: 'remove',
        label: t('remove'),
        icon: REMOVE,
        danger: true,
        divider: true,
        onClick: () => ask({ kind: 'remove', entries }),
      },
    ]
  }
}

export function useStorageBulk(ask: (ask: Ask) => void): readonly BulkAction<StorageEntry>[] | undefined {
  const { t } = useTranslation('lists')
  const may = useMayStorage()
  return useMemo(() => {
    if (!may) return undefined
    const able = (enable: boolean) => (entries: readonly StorageEntry[]) =>
      enableJobs(entries, enable).length > 0 ? undefined : t('noneApplies')
    return [
      {
        id: 'enable',
        label: t('enable'),
        icon: ENABLE,
        primary: true,
        disabled: able(true),
        onClick: (entries) => void runBulk(t('enable'), enableJobs(entries, true)),
      },
      {
        id: 'disable',
        label: t('disable'),
        icon: DISABLE,
        primary: true,
        disabled: able(false),
        onClick: (entries) => ask({ kind: 'disable', entries }),
      },
      {
        id: 'remove',
        label: t('remove'),
        icon: REMOVE,
        danger: true,
        onClick: (entries) => ask({ kind: 'remove', entries }),
      },
    ]
  }, [t, may, ask])
}
