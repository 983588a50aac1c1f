import { Button, Stack, Text } from '@mantine/core'
import { IconCopy, IconEye, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { type Role, useAcl, useRoles, words } from '@/pages/access/data'
import { RoleDialog } from '@/pages/access/RoleDialog'
import { useMayOn } from '@/pages/access/rights'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { type Column, DataTable, type RowAction } from '@/ui/DataTable'
import { useDialog } from '@/ui/useDialog'

const NONE: readonly Role[] = []

/** What the dialog is for: a role to look at or change, or what a new one begins with. */
export interface RoleWish {
  role?: Role
  copyOf?: Role
}

function useColumns(): Column<Role>[] {
  const { t } = useTranslation(['access', 'common'])
  return useMemo(
    () => [
      { id: 'roleid', header: t('role.id'), value: (row) => row.roleid, width: 180, required: true, mobile: 'title' },
      {
        id: 'kind',
        header: t('role.kind'),
        value: (row) => (row.special === 1 ? t('role.builtIn') : t('role.own')),
        width: 100,
        filter: 'options',
        mobile: 'side',
      },
      {
        id: 'privs',
        header: t('role.privileges'),
        value: (row) => words(row.privs),
        cell: (row) => (
          <Text size="sm" truncate title={words(row.privs).join(', ')}>
            {t('role.count', { count: words(row.privs).length })}
            {row.privs && <span> · {words(row.privs).join(', ')}</span>}
          </Text>
        ),
        width: 400,
        mobile: 'meta',
      },
    ],
    [t],
  )
}

export default function RolesTab() {
  const { t } = useTranslation(['access', 'common'])
  const roles = useRoles()
  const columns = useColumns()
  const dialog = useDialog<RoleWish>()
  const remove = useDialog<Role>()
  const allowed = useMayOn()('/access', 'Sys.Modify')
  const refused = allowed ? undefined : t('noRight', { privilege: 'Sys.Modify' })
  const actions = (row: Role): readonly RowAction[] => [
    {
      id: 'open',
      label: allowed && row.special !== 1 ? t('common:edit') : t('role.show'),
      icon: allowed && row.special !== 1 ? <IconPencil size={16} /> : <IconEye size={16} />,
      onClick: () => dialog.open({ role: row }),
    },
    {
      id: 'copy',
      label: t('role.copy'),
      icon: <IconCopy size={16} />,
      disabled: refused,
      onClick: () => dialog.open({ copyOf: row }),
    },
    {
      id: 'remove',
      label: t('common:remove'),
      icon: <IconTrash size={16} />,
      danger: true,
      divider: true,
      disabled: refused ?? (row.special === 1 ? t('role.readOnly') : undefined),
      onClick: () => remove.open(row),
    },
  ]
  const add = allowed && (
    <Button size="xs" ml="auto" leftSection={<IconPlus size={16} />} onClick={() => dialog.open({})}>
      {t('role.add')}
    </Button>
  )
  return (
    <>
      <DataTable
        id="roles"
        label={t('role.list')}
        columns={columns}
        rows={roles.data ?? NONE}
        rowKey={(row) => row.roleid}
        rowName={(row) => row.roleid}
        loading={roles.isPending}
        error={roles.error}
        onRetry={() => void roles.refetch()}
        onOpen={(row) => dialog.open({ role: row })}
        actions={actions}
        toolbar={add}
        empty={{ title: t('role.emptyTitle'), description: t('role.emptyText'), action: add }}
      />
      {dialog.value && (
        <RoleDialog key={`r${dialog.key}`} wish={dialog.value} opened={dialog.opened} onClose={dialog.close} />
      )}
      {remove.value && <RemoveRoleDialog role={remove.value} opened={remove.opened} onClose={remove.close} />}
    </>
  )
}

function RemoveRoleDialog({ role, opened, onClose }: { role: Role; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation(['access', 'common'])
  const uses = (useAcl().data ?? []).filter((row) => row.roleid === role.roleid).length
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('role.removeTitle', { role: role.roleid })}
      operation="DELETE /access/roles/{roleid}"
      params={() => ({ roleid: role.roleid })}
      submit={t('common:remove')}
      danger
      size="md"
    >
      <Stack>
        <Text>{t('role.removeText')}</Text>
        {uses > 0 && <Text fw={600}>{t('role.usedBy', { count: uses })}</Text>}
      </Stack>
    </ChangeDialog>
  )
}
