import { Alert, Button, Stack, Text } from '@mantine/core'
import { IconArrowsDown, IconCopyPlus, IconPlus, IconShieldSearch, IconTrash } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { AclDialog, type AclWish, subjects } from '@/pages/access/AclDialog'
import { type AclRow, useAcl, useWorld } from '@/pages/access/data'
import { losesOwn } from '@/pages/access/effective'
import { useMayOn, useMyself } from '@/pages/access/rights'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { type Column, DataTable, type RowAction } from '@/ui/DataTable'
import { useDialog } from '@/ui/useDialog'

const NONE: readonly AclRow[] = []

/** Whether the caller may change permissions on a path: on one guest, storage or pool also by allocating it. */
export function useMayGrant(): (path: string) => boolean {
  const may = useMayOn()
  return (path) => {
    const [, top = '', name] = path.split('/')
    const allocate = { storage: 'Datastore.Allocate', vms: 'VM.Allocate', pool: 'Pool.Allocate' }[top]
    return may(path, 'Permissions.Modify', ...(allocate && name ? [allocate] : []))
  }
}

function useColumns(): Column<AclRow>[] {
  const { t } = useTranslation(['access', 'common'])
  return useMemo(
    () => [
      {
        id: 'path',
        header: t('acl.path'),
        value: (row) => row.path,
        width: 200,
        required: true,
        filter: 'text',
        mobile: 'title',
      },
      { id: 'ugid', header: t('acl.who'), value: (row) => row.ugid, width: 180, required: true, mobile: 'meta' },
      {
        id: 'type',
        header: t('acl.whoType'),
        value: (row) => row.type,
        label: (kind) => t(`acl.kind.${kind as AclRow['type']}`),
        cell: (row) => t(`acl.kind.${row.type}`),
        width: 100,
        filter: 'options',
        mobile: 'meta',
      },
      {
        id: 'roleid',
        header: t('acl.role'),
        value: (row) => row.roleid,
        width: 160,
        filter: 'options',
        mobile: 'side',
      },
      {
        id: 'propagate',
        header: t('acl.propagate'),
        value: (row) => (row.propagate === 1 ? t('common:yes') : t('common:no')),
        width: 110,
      },
    ],
    [t],
  )
}

export default function AclTab() {
  const { t } = useTranslation(['access', 'common'])
  const acl = useAcl()
  const columns = useColumns()
  const add = useDialog<AclWish>()
  const propagate = useDialog<AclRow>()
  const remove = useDialog<AclRow>()
  const mayGrant = useMayGrant()
  const may = useMayOn()
  const navigate = useNavigate()
  const somewhere = may('/', 'Permissions.Modify') || (acl.data ?? []).some((row) => mayGrant(row.path))
  const actions = (row: AclRow): readonly RowAction[] => {
    const refused = mayGrant(row.path) ? undefined : t('noRight', { privilege: 'Permissions.Modify' })
    return [
      {
        id: 'explain',
        label: t('acl.explain'),
        icon: <IconShieldSearch size={16} />,
        disabled: row.type === 'group' ? t('effective.choose') : undefined,
        onClick: () =>
          void navigate({
            to: '/access/$tab',
            params: { tab: 'effective' },
            search: { who: row.ugid, path: row.path },
          }),
      },
      {
        id: 'like',
        label: t('acl.like'),
        icon: <IconCopyPlus size={16} />,
        disabled: refused,
        onClick: () => add.open({ path: row.path, role: row.roleid, propagate: row.propagate === 1 }),
      },
      {
        id: 'propagate',
        label: t('acl.togglePropagate'),
        icon: <IconArrowsDown size={16} />,
        disabled: refused,
        onClick: () => propagate.open(row),
      },
      {
        id: 'remove',
        label: t('common:remove'),
        icon: <IconTrash size={16} />,
        danger: true,
        divider: true,
        disabled: refused,
        onClick: () => remove.open(row),
      },
    ]
  }
  const button = somewhere && (
    <Button size="xs" ml="auto" leftSection={<IconPlus size={16} />} onClick={() => add.open({})}>
      {t('acl.add')}
    </Button>
  )
  return (
    <>
      <DataTable
        id="acl"
        label={t('acl.list')}
        columns={columns}
        rows={acl.data ?? NONE}
        rowKey={(row) => `${row.path} ${row.type} ${row.ugid} ${row.roleid}`}
        rowName={(row) => `${row.path} ${row.ugid} ${row.roleid}`}
        loading={acl.isPending}
        error={acl.error}
        onRetry={() => void acl.refetch()}
        actions={actions}
        toolbar={button}
        empty={{
          title: t('acl.emptyTitle'),
          description: somewhere ? t('acl.emptyText') : t('acl.hidden'),
          action: button,
        }}
      />
      {add.value && <AclDialog key={`a${add.key}`} wish={add.value} opened={add.opened} onClose={add.close} />}
      {propagate.value && <PropagateDialog row={propagate.value} opened={propagate.opened} onClose={propagate.close} />}
      {remove.value && <RemoveAclDialog row={remove.value} opened={remove.opened} onClose={remove.close} />}
    </>
  )
}

interface AboutRow {
  row: AclRow
  opened: boolean
  onClose: () => void
}

function PropagateDialog({ row, opened, onClose }: AboutRow) {
  const { t } = useTranslation(['access', 'common'])
  const told = { role: row.roleid, who: row.ugid, path: row.path }
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('acl.toggleTitle')}
      operation="PUT /access/acl"
      params={() => ({
        path: row.path,
        roles: [row.roleid],
        ...subjects([`${row.type}:${row.ugid}`]),
        propagate: row.propagate !== 1,
      })}
      submit={t('common:save')}
      size="md"
    >
      <Text>{row.propagate === 1 ? t('acl.toggleOff', told) : t('acl.toggleOn', told)}</Text>
    </ChangeDialog>
  )
}

/** Take an entry away; who takes its own rights is told before. */
export function RemoveAclDialog({ row, opened, onClose }: AboutRow) {
  const { t } = useTranslation(['access', 'common'])
  const world = useWorld()
  const myself = useMyself()
  const own = world ? losesOwn(world, myself, [{ ...row, propagate: row.propagate === 1 }]) : row.ugid === myself
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('acl.removeTitle')}
      operation="PUT /access/acl"
      params={() => ({
        path: row.path,
        roles: [row.roleid],
        ...subjects([`${row.type}:${row.ugid}`]),
        delete: true,
      })}
      submit={t('common:remove')}
      danger
      size="md"
    >
      <Stack>
        <Text>{t('acl.removeText', { who: row.ugid, role: row.roleid, path: row.path })}</Text>
        {own && <Alert color="red">{t('acl.losesOwn')}</Alert>}
      </Stack>
    </ChangeDialog>
  )
}
