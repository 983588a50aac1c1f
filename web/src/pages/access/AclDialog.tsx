import { Alert, MultiSelect, Select, Stack, Switch } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { tokensOf, useGroups, useRoles, useUsers, useWorld, words } from '@/pages/access/data'
import { type AclEntry, losesByNew, normalPath } from '@/pages/access/effective'
import { PathPicker } from '@/pages/access/PathPicker'
import { useMyself } from '@/pages/access/rights'
import { ChangeDialog } from '@/plan/ChangeDialog'

/** What a new permission begins with. */
export interface AclWish {
  path?: string
  role?: string
  who?: string[]
  propagate?: boolean
}

/** `['user:ann@pve', 'group:ops']` as the call's lists. */
export function subjects(who: readonly string[]): { users?: string[]; groups?: string[]; tokens?: string[] } {
  const of = (kind: string) => who.flatMap((each) => (each.startsWith(`${kind}:`) ? [each.slice(kind.length + 1)] : []))
  const [users, groups, tokens] = [of('user'), of('group'), of('token')]
  return {
    ...(users.length > 0 && { users }),
    ...(groups.length > 0 && { groups }),
    ...(tokens.length > 0 && { tokens }),
  }
}

/** The entries that the form makes. */
export function entriesOf(path: string, who: readonly string[], roleid: string, propagate: boolean): AclEntry[] {
  return who.map((each) => {
    const [type = 'user'] = each.split(':')
    return {
      path: normalPath(path),
      type: type as AclEntry['type'],
      ugid: each.slice(type.length + 1),
      roleid,
      propagate,
    }
  })
}

function useLoses(entries: AclEntry[]): boolean {
  const world = useWorld()
  const myself = useMyself()
  return world !== undefined && entries.length > 0 && losesByNew(world, myself, entries)
}

function useWhoChoices(): { group: string; items: { value: string; label: string }[] }[] {
  const { t } = useTranslation(['access', 'common'])
  const users = useUsers().data ?? []
  const groups = useGroups().data ?? []
  const choice = (kind: string) => (name: string) => ({ value: `${kind}:${name}`, label: name })
  return [
    { group: t('acl.kinds.group'), items: groups.map((group) => group.groupid).map(choice('group')) },
    { group: t('acl.kinds.user'), items: users.map((user) => user.userid).map(choice('user')) },
    {
      group: t('acl.kinds.token'),
      items: tokensOf(users)
        .map((token) => token.id)
        .map(choice('token')),
    },
  ].filter(({ items }) => items.length > 0)
}

const SHOWN = ['path', 'users', 'groups', 'tokens', 'roles']

/** Give users, groups or tokens a role on a path. */
export function AclDialog({ wish, opened, onClose }: { wish: AclWish; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation(['access', 'common'])
  const [path, setPath] = useState(wish.path ?? '')
  const [who, setWho] = useState<string[]>(wish.who ?? [])
  const [role, setRole] = useState<string | null>(wish.role ?? null)
  const [propagate, setPropagate] = useState(wish.propagate ?? true)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const roles = useRoles().data ?? []
  const choices = useWhoChoices()
  const loses = useLoses(path.startsWith('/') && role ? entriesOf(path, who, role, propagate) : [])
  const modifies = words(roles.find((each) => each.roleid === role)?.privs).includes('Permissions.Modify')
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('acl.addTitle')}
      operation="PUT /access/acl"
      params={() => ({ path, roles: role ? [role] : [], ...subjects(who), propagate })}
      submit={t('common:add')}
      onErrors={setErrors}
      shown={SHOWN}
    >
      <Stack>
        <PathPicker
          label={t('acl.path')}
          description={t('acl.pathHelp')}
          value={path}
          onChange={setPath}
          error={errors.path}
          required
        />
        <MultiSelect
          label={t('acl.who')}
          description={t('acl.whoHelp')}
          data={choices}
          value={who}
          onChange={setWho}
          error={errors.users ?? errors.groups ?? errors.tokens}
          searchable
          required
        />
        <Select
          label={t('acl.role')}
          description={t('acl.roleHelp')}
          data={roles.map((each) => each.roleid)}
          value={role}
          onChange={setRole}
          error={errors.roles}
          searchable
          required
        />
        {role === 'NoAccess' && <Alert color="yellow">{t('acl.noAccessWarning')}</Alert>}
        {modifies && <Alert color="yellow">{t('acl.adminWarning')}</Alert>}
        <Switch
          label={t('acl.propagateField')}
          description={t('acl.propagateHelp')}
          checked={propagate}
          onChange={(event) => setPropagate(event.currentTarget.checked)}
        />
        {loses && <Alert color="red">{t('acl.losesByNew')}</Alert>}
        <Alert variant="light">{t('acl.inherits')}</Alert>
      </Stack>
    </ChangeDialog>
  )
}
