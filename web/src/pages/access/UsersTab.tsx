import { Button } from '@mantine/core'
import {
  IconKey,
  IconLock,
  IconPencil,
  IconPlus,
  IconShieldSearch,
  IconTrash,
  IconUserOff,
  IconUserUp,
} from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { fullName, realmOf, type User, useUsers, words } from '@/pages/access/data'
import { isOver } from '@/pages/access/expiry'
import { PasswordDialog } from '@/pages/access/PasswordDialog'
import { useMayOn, useMyself } from '@/pages/access/rights'
import { EnableDialog, RemoveUserDialog, UserDialog } from '@/pages/access/UserDialog'
import { type Column, DataTable, type RowAction } from '@/ui/DataTable'
import { moment } from '@/ui/format'
import { StatusDot } from '@/ui/StatusDot'
import { useDialog } from '@/ui/useDialog'

type State = 'enabled' | 'disabled' | 'expired'
const stateOf = (user: User): State => (user.enable !== 1 ? 'disabled' : isOver(user.expire) ? 'expired' : 'enabled')
const TONE = { enabled: 'OK', disabled: 'stopped', expired: 'paused' } as const

function useColumns(): Column<User>[] {
  const { t } = useTranslation(['access', 'common'])
  return useMemo(
    () => [
      {
        id: 'userid',
        header: t('user.id'),
        value: (user) => user.userid,
        width: 180,
        required: true,
        mobile: 'title',
      },
      { id: 'name', header: t('user.name'), value: fullName, width: 140, mobile: 'meta' },
      { id: 'email', header: t('user.email'), value: (user) => user.email, width: 160, optional: true },
      {
        id: 'realm',
        header: t('user.realm'),
        value: (user) => realmOf(user.userid),
        width: 80,
        filter: 'options',
      },
      {
        id: 'groups',
        header: t('user.groups'),
        value: (user) => words(user.groups),
        width: 140,
        filter: 'options',
        mobile: 'meta',
      },
      {
        id: 'state',
        header: t('user.state'),
        value: stateOf,
        label: (state) => t(`user.is.${state as State}`),
        cell: (user) => <StatusDot status={TONE[stateOf(user)]} label={t(`user.is.${stateOf(user)}`)} />,
        width: 110,
        filter: 'options',
        mobile: 'side',
      },
      {
        id: 'expire',
        header: t('user.expire'),
        value: (user) => (user.expire > 0 ? user.expire : null),
        cell: (user) => (user.expire > 0 ? moment(user.expire) : t('user.never')),
        width: 120,
      },
      {
        id: 'tokens',
        header: t('user.tokens'),
        value: (user) => user.tokens?.length ?? 0,
        width: 80,
        align: 'right',
      },
      { id: 'comment', header: t('user.comment'), value: (user) => user.comment, width: 160 },
    ],
    [t],
  )
}

/** Whether the caller may change a user: by all groups, or by one that the user is in. */
export function useMayModify(): (user: User) => boolean {
  const may = useMayOn()
  return (user) =>
    may('/access/groups', 'User.Modify') ||
    words(user.groups).some((group) => may(`/access/groups/${group}`, 'User.Modify'))
}

export default function UsersTab() {
  const { t } = useTranslation(['access', 'common'])
  const users = useUsers()
  const columns = useColumns()
  const edit = useDialog<User | null>()
  const password = useDialog<User>()
  const enable = useDialog<User>()
  const remove = useDialog<User>()
  const may = useMayOn()
  const actions = useActions({ edit: edit.open, password: password.open, enable: enable.open, remove: remove.open })
  const add = may('/access/groups', 'User.Modify') && (
    <Button size="xs" ml="auto" leftSection={<IconPlus size={16} />} onClick={() => edit.open(null)}>
      {t('user.add')}
    </Button>
  )
  return (
    <>
      <DataTable
        id="users"
        label={t('user.list')}
        columns={columns}
        rows={users.data ?? NONE}
        rowKey={(user) => user.userid}
        rowName={(user) => user.userid}
        loading={users.isPending}
        error={users.error}
        onRetry={() => void users.refetch()}
        onOpen={(user) => edit.open(user)}
        actions={actions}
        toolbar={add}
        empty={{ title: t('user.emptyTitle'), description: t('user.emptyText'), action: add }}
      />
      {edit.value !== undefined && (
        <UserDialog key={`e${edit.key}`} user={edit.value} opened={edit.opened} onClose={edit.close} />
      )}
      {password.value && (
        <PasswordDialog
          key={`p${password.key}`}
          user={password.value}
          opened={password.opened}
          onClose={password.close}
        />
      )}
      {enable.value && <EnableDialog user={enable.value} opened={enable.opened} onClose={enable.close} />}
      {remove.value && <RemoveUserDialog user={remove.value} opened={remove.opened} onClose={remove.close} />}
    </>
  )
}

const NONE: readonly User[] = []

interface Doings {
  edit: (user: User) => void
  password: (user: User) => void
  enable: (user: User) => void
  remove: (user: User) => void
}

function useActions(doings: Doings): (user: User) => readonly RowAction[] {
  const { t } = useTranslation(['access', 'common'])
  const navigate = useNavigate()
  const mayModify = useMayModify()
  const may = useMayOn()
  const myself = useMyself()
  return (user) => {
    const root = user.userid === 'root@pam' && myself !== 'root@pam' ? t('onlyRoot') : undefined
    const modify = mayModify(user) ? undefined : t('noRight', { privilege: 'User.Modify' })
    const allocate = may(`/access/realm/${realmOf(user.userid)}`, 'Realm.AllocateUser')
      ? undefined
      : t('noRight', { privilege: 'Realm.AllocateUser' })
    const local = user['realm-type'] === 'pve' ? undefined : t('user.passwordElsewhere')
    return [
      {
        id: 'edit',
        label: t('common:edit'),
        icon: <IconPencil size={16} />,
        disabled: modify,
        onClick: () => doings.edit(user),
      },
      {
        id: 'password',
        label: t('user.setPassword'),
        icon: <IconLock size={16} />,
        disabled: local ?? root ?? (user.userid === myself ? undefined : modify),
        onClick: () => doings.password(user),
      },
      {
        id: 'permissions',
        label: t('user.permissions'),
        icon: <IconShieldSearch size={16} />,
        onClick: () =>
          void navigate({ to: '/access/$tab', params: { tab: 'effective' }, search: { who: user.userid } }),
      },
      {
        id: 'token',
        label: t('user.newToken'),
        icon: <IconKey size={16} />,
        disabled: root ?? (user.userid === myself ? undefined : modify),
        onClick: () => void navigate({ to: '/access/$tab', params: { tab: 'tokens' }, search: { add: user.userid } }),
      },
      {
        id: 'enable',
        label: user.enable === 1 ? t('user.disable') : t('user.enable'),
        icon: user.enable === 1 ? <IconUserOff size={16} /> : <IconUserUp size={16} />,
        disabled: root ?? modify,
        divider: true,
        onClick: () => doings.enable(user),
      },
      {
        id: 'remove',
        label: t('common:remove'),
        icon: <IconTrash size={16} />,
        danger: true,
        disabled: root ?? modify ?? allocate,
        onClick: () => doings.remove(user),
      },
    ]
  }
}
