import { Button } from '@mantine/core'
import { IconPlus, IconShieldLock, IconTrash } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { AclDialog, type AclWish } from '@/pages/access/AclDialog'
import { RemoveAclDialog, useMayGrant } from '@/pages/access/AclTab'
import { type AclRow, useAcl } from '@/pages/access/data'
import { entriesFor } from '@/pages/guests/permissions/reach'
import type { TabProps } from '@/pages/guests/tabs'
import { type Column, DataTable, type RowAction, useMemoryState } from '@/ui/DataTable'
import { useDialog } from '@/ui/useDialog'

const keyOf = (row: AclRow): string => `${row.path} ${row.type} ${row.ugid} ${row.roleid}`

function useColumns(own: string): readonly Column<AclRow>[] {
  const { t } = useTranslation(['guest', 'access'])
  return useMemo(
    () => [
      { id: 'who', header: t('access:acl.who'), value: (row) => row.ugid, width: 200, required: true, mobile: 'title' },
      {
        id: 'kind',
        header: t('access:acl.whoType'),
        value: (row) => row.type,
        cell: (row) => t(`access:acl.kind.${row.type}`),
        label: (kind) => t(`access:acl.kind.${kind as AclRow['type']}`),
        width: 110,
        mobile: 'meta',
      },
      { id: 'role', header: t('access:acl.role'), value: (row) => row.roleid, width: 180, mobile: 'side' },
      {
        id: 'from',
        header: t('acl.from'),
        value: (row) => row.path,
        cell: (row) => (row.path === own ? t('acl.own') : row.path),
        width: 180,
        mobile: 'meta',
      },
    ],
    [t, own],
  )
}

/** Who may do what with this guest, and why. */
export default function PermissionsTab({ guest }: TabProps) {
  const { t } = useTranslation(['guest', 'access', 'common'])
  const own = `/vms/${guest.vmid}`
  const acl = useAcl()
  const columns = useColumns(own)
  const state = useMemoryState(columns)
  const add = useDialog<AclWish>()
  const remove = useDialog<AclRow>()
  const mayGrant = useMayGrant()
  const rows = useMemo(() => entriesFor(acl.data ?? [], guest.vmid, guest.pool), [acl.data, guest.vmid, guest.pool])
  const actions = (row: AclRow): readonly RowAction[] => [
    {
      id: 'remove',
      label: t('common:remove'),
      icon: <IconTrash size={16} />,
      danger: true,
      disabled: mayGrant(row.path) ? undefined : t('acl.mayNot'),
      onClick: () => remove.open(row),
    },
  ]
  const button = mayGrant(own) && (
    <Button size="xs" ml="auto" leftSection={<IconPlus size={16} />} onClick={() => add.open({ path: own })}>
      {t('access:acl.add')}
    </Button>
  )
  return (
    <>
      <DataTable
        id="guest-acl"
        label={t('acl.of', { name: guest.name })}
        columns={columns}
        state={state}
        rows={rows}
        rowKey={keyOf}
        rowName={keyOf}
        loading={acl.isPending}
        error={acl.error}
        onRetry={() => void acl.refetch()}
        actions={actions}
        toolbar={button}
        noSearch
        empty={{ title: t('acl.none'), description: t('acl.noneText'), icon: <IconShieldLock />, action: button }}
      />
      {add.value && <AclDialog key={`a${add.key}`} wish={add.value} opened={add.opened} onClose={add.close} />}
      {remove.value && <RemoveAclDialog row={remove.value} opened={remove.opened} onClose={remove.close} />}
    </>
  )
}
