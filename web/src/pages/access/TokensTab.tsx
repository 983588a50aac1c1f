import { Button, Stack, Text } from '@mantine/core'
import {
  IconKey,
  IconPencil,
  IconPlus,
  IconRefresh,
  IconShieldPlus,
  IconShieldSearch,
  IconTrash,
} from '@tabler/icons-react'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { AclDialog, type AclWish } from '@/pages/access/AclDialog'
import { type Token, tokensOf, useUsers } from '@/pages/access/data'
import { isOver } from '@/pages/access/expiry'
import { useMyself } from '@/pages/access/rights'
import { SecretDialog, type Shown, TokenDialog, type TokenWish } from '@/pages/access/TokenDialog'
import { useMayModify } from '@/pages/access/UsersTab'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { type Column, DataTable, type RowAction } from '@/ui/DataTable'
import { moment } from '@/ui/format'
import { useDialog } from '@/ui/useDialog'

const NONE: readonly Token[] = []

function useColumns(): Column<Token>[] {
  const { t } = useTranslation(['access', 'common'])
  return useMemo(
    () => [
      { id: 'id', header: t('token.id'), value: (row) => row.id, width: 220, required: true, mobile: 'title' },
      {
        id: 'userid',
        header: t('token.user'),
        value: (row) => row.userid,
        width: 150,
        filter: 'options',
        optional: true,
      },
      {
        id: 'privsep',
        header: t('token.privsep'),
        value: (row) => (row.privsep ? t('token.privsepOn') : t('token.privsepOff')),
        width: 140,
        filter: 'options',
        mobile: 'side',
      },
      {
        id: 'expire',
        header: t('token.expire'),
        value: (row) => (row.expire > 0 ? row.expire : null),
        cell: (row) =>
          row.expire > 0
            ? `${moment(row.expire)}${isOver(row.expire) ? ` (${t('token.expired')})` : ''}`
            : t('token.withUser'),
        width: 160,
        mobile: 'meta',
      },
      { id: 'comment', header: t('token.comment'), value: (row) => row.comment, width: 200, mobile: 'meta' },
    ],
    [t],
  )
}

export default function TokensTab() {
  const { t } = useTranslation(['access', 'common'])
  const users = useUsers()
  const rows = useMemo(() => tokensOf(users.data ?? []), [users.data])
  const columns = useColumns()
  const edit = useDialog<TokenWish>()
  const again = useDialog<Token>()
  const remove = useDialog<Token>()
  const grant = useDialog<AclWish>()
  const secret = useDialog<Shown>()
  const openNew = edit.open
  useWishedToken((user) => openNew({ user }))
  const actions = useActions({
    edit: (token) => edit.open({ token }),
    again: again.open,
    remove: remove.open,
    grant: (token) => grant.open({ who: [`token:${token.id}`] }),
  })
  const button = (
    <Button size="xs" ml="auto" leftSection={<IconPlus size={16} />} onClick={() => edit.open({})}>
      {t('token.add')}
    </Button>
  )
  return (
    <>
      <DataTable
        id="tokens"
        label={t('token.list')}
        columns={columns}
        rows={users.data ? rows : NONE}
        rowKey={(row) => row.id}
        rowName={(row) => row.id}
        loading={users.isPending}
        error={users.error}
        onRetry={() => void users.refetch()}
        actions={actions}
        toolbar={button}
        empty={{ title: t('token.emptyTitle'), description: t('token.emptyText'), icon: <IconKey />, action: button }}
      />
      {edit.value && (
        <TokenDialog
          key={`e${edit.key}`}
          wish={edit.value}
          opened={edit.opened}
          onClose={edit.close}
          onSecret={secret.open}
        />
      )}
      {again.value && (
        <RegenerateDialog token={again.value} opened={again.opened} onClose={again.close} onSecret={secret.open} />
      )}
      {remove.value && <RemoveTokenDialog token={remove.value} opened={remove.opened} onClose={remove.close} />}
      {grant.value && (
        <AclDialog key={`g${grant.key}`} wish={grant.value} opened={grant.opened} onClose={grant.close} />
      )}
      {secret.value && (
        <SecretDialog
          key={`s${secret.key}`}
          shown={secret.value}
          opened={secret.opened}
          onClose={secret.close}
          onGrant={(id) => grant.open({ who: [`token:${id}`] })}
        />
      )}
    </>
  )
}

/** A link may ask for a new token: `?add=ann@pve`. Asked once, then the address is plain again. */
function useWishedToken(open: (user: string) => void): void {
  const search = useSearch({ strict: false }) as { add?: unknown }
  const navigate = useNavigate()
  const wished = typeof search.add === 'string' ? search.add : ''
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each wish
  useEffect(() => {
    if (!wished) return
    open(wished)
    void navigate({ to: '.', search: {}, replace: true })
  }, [wished])
}

type Doing = (token: Token) => void

function useActions(doings: { edit: Doing; again: Doing; remove: Doing; grant: Doing }) {
  const { t } = useTranslation(['access', 'common'])
  const navigate = useNavigate()
  const users = useUsers().data ?? []
  const mayModify = useMayModify()
  const myself = useMyself()
  return (token: Token): readonly RowAction[] => {
    const user = users.find((each) => each.userid === token.userid)
    const own = token.userid === myself || (user !== undefined && mayModify(user))
    const refused = own ? undefined : t('noRight', { privilege: 'User.Modify' })
    return [
      {
        id: 'edit',
        label: t('common:edit'),
        icon: <IconPencil size={16} />,
        disabled: refused,
        onClick: () => doings.edit(token),
      },
      {
        id: 'grant',
        label: t('token.givePermission'),
        icon: <IconShieldPlus size={16} />,
        onClick: () => doings.grant(token),
      },
      {
        id: 'effective',
        label: t('acl.explain'),
        icon: <IconShieldSearch size={16} />,
        onClick: () => void navigate({ to: '/access/$tab', params: { tab: 'effective' }, search: { who: token.id } }),
      },
      {
        id: 'regenerate',
        label: t('token.regenerate'),
        icon: <IconRefresh size={16} />,
        disabled: refused,
        onClick: () => doings.again(token),
      },
      {
        id: 'remove',
        label: t('common:remove'),
        icon: <IconTrash size={16} />,
        danger: true,
        divider: true,
        disabled: refused,
        onClick: () => doings.remove(token),
      },
    ]
  }
}

interface AboutToken {
  token: Token
  opened: boolean
  onClose: () => void
}

function RegenerateDialog({ token, opened, onClose, onSecret }: AboutToken & { onSecret: (shown: Shown) => void }) {
  const { t } = useTranslation(['access', 'common'])
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('token.regenerateTitle', { token: token.id })}
      operation="PUT /access/users/{userid}/token/{tokenid}"
      params={() => ({ userid: token.userid, tokenid: token.tokenid, regenerate: true })}
      submit={t('token.regenerate')}
      danger
      size="md"
      onDone={(result) => result.value && onSecret({ id: token.id, secret: result.value, privsep: token.privsep })}
    >
      <Text>{t('token.regenerateText')}</Text>
    </ChangeDialog>
  )
}

function RemoveTokenDialog({ token, opened, onClose }: AboutToken) {
  const { t } = useTranslation(['access', 'common'])
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('token.removeTitle', { token: token.id })}
      operation="DELETE /access/users/{userid}/token/{tokenid}"
      params={() => ({ userid: token.userid, tokenid: token.tokenid })}
      submit={t('common:remove')}
      danger
      size="md"
    >
      <Stack>
        <Text>{t('token.removeText')}</Text>
      </Stack>
    </ChangeDialog>
  )
}
