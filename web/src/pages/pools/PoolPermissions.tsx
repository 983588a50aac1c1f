import { Button } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { AclDialog, type AclWish } from '@/pages/access/AclDialog'
import { RemoveAclDialog, useMayGrant } from '@/pages/access/AclTab'
import { type AclRow, useAcl } from '@/pages/access/data'
import { type Column, DataTable } from '@/ui/DataTable'
import { Section } from '@/ui/Section'
import { useDialog } from '@/ui/useDialog'

/** The ACL entries on exactly this pool. */
export function PoolPermissions({ pool }: { pool: string }) {
  const { t } = useTranslation(['access', 'common'])
  const path = `/pool/${pool}`
  const acl = useAcl()
  const rows = useMemo(() => (acl.data ?? []).filter((row) => row.path === path), [acl.data, path])
  const may = useMayGrant()(path)
  const add = useDialog<AclWish>()
  const remove = useDialog<AclRow>()
  const columns = useMemo<Column<AclRow>[]>(
    () => [
      { id: 'ugid', header: t('acl.who'), value: (row) => row.ugid, width: 200, required: true, mobile: 'title' },
      { id: 'type', header: t('acl.whoType'), value: (row) => t(`acl.kind.${row.type}`), width: 120, mobile: 'meta' },
      { id: 'role', header: t('acl.role'), value: (row) => row.roleid, width: 160, mobile: 'side' },
      {
        id: 'propagate',
        header: t('acl.propagate'),
        value: (row) => (row.propagate === 1 ? t('common:yes') : t('common:no')),
        width: 110,
      },
    ],
    [t],
  )
  if (!may && rows.length === 0) return null
  return (
    <Section
      title={t('pool.permissions')}
      actions={
        may && (
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={() => add.open({ path })}>
            {t('pool.addPermission')}
          </Button>
        )
      }
    >
      <DataTable
        id="pool-acl"
        label={t('pool.permissions')}
        columns={columns}
        rows={rows}
        rowKey={(row) => `${row.type} ${row.ugid} ${row.roleid}`}
        rowName={(row) => `${row.ugid} ${row.roleid}`}
        loading={acl.isPending}
        actions={(row) => [
          {
            id: 'remove',
            label: t('common:remove'),
            icon: <IconTrash size={16} />,
            danger: true,
            disabled: may ? undefined : t('noRight', { privilege: 'Permissions.Modify' }),
            onClick: () => remove.open(row),
          },
        ]}
        empty={{ title: t('common:none'), description: t('pool.noPermissions') }}
        stateIn="memory"
        maxHeight={360}
        plain
      />
      {add.value && <AclDialog key={add.key} wish={add.value} opened={add.opened} onClose={add.close} />}
      {remove.value && <RemoveAclDialog row={remove.value} opened={remove.opened} onClose={remove.close} />}
    </Section>
  )
}
