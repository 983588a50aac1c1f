/** Who may do what with a storage: entries on it, and those that it inherits. */
import { Button } from '@mantine/core'
import { IconShield } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useAllowed } from '@/api/permissions'
import { refresh, useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { type Column, DataTable } from '@/ui/DataTable'
import { useDialog } from '@/ui/useDialog'

type Entry = Result<'GET /access/acl'>[number]

const again = () => void refresh('GET /access/acl')

export function PermissionsTab({ storage }: { storage: string }) {
  const { t } = useTranslation(['storage', 'common'])
  const path = `/storage/${storage}`
  const query = useApi('GET /access/acl', {})
  const may = useAllowed(path, 'Permissions.Modify')
  const add = useDialog<true>()
  const remove = useDialog<Entry>()
  const columns = useColumns()
  const rows = useMemo(
    () =>
      (query.data ?? []).filter(
        (entry) => entry.path === path || (entry.propagate && ['/', '/storage'].includes(entry.path)),
      ),
    [query.data, path],
  )
  return (
    <>
      <DataTable
        id="storage-acl"
        label={t('permissions')}
        columns={columns}
        rows={rows}
        rowKey={(row) => `${row.path} ${row.ugid} ${row.roleid}`}
        rowName={(row) => `${row.ugid} ${row.roleid}`}
        loading={query.isPending}
        error={query.error}
        onRetry={() => void query.refetch()}
        toolbar={may && <Button onClick={() => add.open(true)}>{t('addPermission')}</Button>}
        actions={(row) => [
          {
            id: 'remove',
            label: t('remove'),
            danger: true,
            disabled: row.path !== path ? t('inherited', { path: row.path }) : may ? undefined : t('mayNotModify'),
            onClick: () => remove.open(row),
          },
        ]}
        empty={{ title: t('noPermissions'), description: t('noPermissionsHint'), icon: <IconShield /> }}
      />
      <OperationDialog
        key={add.key}
        opened={add.opened}
        onClose={add.close}
        title={t('addPermission')}
        operation="PUT /access/acl"
        fixed={{ path }}
        omit={['delete']}
        basic={['roles', 'users', 'groups', 'tokens', 'propagate']}
        submit={t('common:add')}
        onDone={again}
      />
      <RemoveEntry key={`remove-${remove.key}`} entry={remove.value} opened={remove.opened} onClose={remove.close} />
    </>
  )
}

function RemoveEntry({ entry, opened, onClose }: { entry: Entry | undefined; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation(['storage', 'common'])
  if (!entry) return null
  const who = { user: 'users', group: 'groups', token: 'tokens' }[entry.type] ?? 'users'
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('removePermission', { who: entry.ugid, role: entry.roleid })}
      operation="PUT /access/acl"
      params={() => ({ path: entry.path, roles: entry.roleid, [who]: entry.ugid, delete: 1 })}
      submit={t('remove')}
      danger
      onDone={again}
    />
  )
}

function useColumns(): Column<Entry>[] {
  const { t } = useTranslation(['storage', 'common'])
  return useMemo(
    () => [
      { id: 'ugid', header: t('columns.who'), value: (row) => row.ugid, required: true, mobile: 'title', width: 200 },
      { id: 'type', header: t('type'), value: (row) => row.type, width: 100, mobile: 'meta' },
      { id: 'roleid', header: t('columns.role'), value: (row) => row.roleid, width: 180, mobile: 'side' },
      { id: 'path', header: t('columns.path'), value: (row) => row.path, width: 160, mobile: 'meta' },
    ],
    [t],
  )
}
