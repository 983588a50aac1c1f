import {
  Alert,
  Group,
  MultiSelect,
  PasswordInput,
  Select,
  Stack,
  Switch,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Operation } from '@/api/client'
import { useApi } from '@/api/query'
import { type User, useGroups, words } from '@/pages/access/data'
import { dayOf, endOf } from '@/pages/access/expiry'
import { useMyself } from '@/pages/access/rights'
import { ChangeDialog } from '@/plan/ChangeDialog'

interface Entered {
  name: string
  realm: string
  password: string
  again: string
  firstname: string
  lastname: string
  email: string
  groups: string[]
  enable: boolean
  day: string
  comment: string
}

const start = (user: User | null): Entered => ({
  name: '',
  realm: 'pve',
  password: '',
  again: '',
  firstname: user?.firstname ?? '',
  lastname: user?.lastname ?? '',
  email: user?.email ?? '',
  groups: words(user?.groups),
  enable: user ? user.enable === 1 : true,
  day: dayOf(user?.expire ?? 0),
  comment: user?.comment ?? '',
})

const sameWords = (a: readonly string[], b: readonly string[]): boolean =>
  [...a].sort().join(',') === [...b].sort().join(',')

/** Only what differs: some of it takes rights that the caller may lack. */
function changes(user: User, now: Entered) {
  const before = start(user)
  const { firstname, lastname, email, comment } = now
  const texts = Object.entries({ firstname, lastname, email, comment }).filter(
    ([word, text]) => text !== before[word as 'email'],
  )
  return {
    userid: user.userid,
    ...Object.fromEntries(texts),
    ...(now.enable !== before.enable && { enable: now.enable }),
    ...(now.day !== before.day && { expire: endOf(now.day) }),
    ...(!sameWords(now.groups, before.groups) && { groups: now.groups }),
  }
}

const SHOWN = ['userid', 'password', 'firstname', 'lastname', 'email', 'groups', 'expire', 'comment']

/** A new user (`user` null), or a user's settings. */
export function UserDialog({ user, opened, onClose }: { user: User | null; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation(['access', 'common'])
  const [now, setNow] = useState(() => start(user))
  const [errors, setErrors] = useState<Record<string, string>>({})
  const set = (change: Partial<Entered>) => setNow((before) => ({ ...before, ...change }))

  function create() {
    if (now.password !== now.again) {
      setErrors({ again: t('user.passwordsDiffer') })
      throw new Error(t('user.passwordsDiffer'))
    }
    const { firstname, lastname, email, comment, groups, enable } = now
    const texts = { firstname, lastname, email, comment, password: now.realm === 'pve' ? now.password : '' }
    const given = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''))
    const userid = `${now.name}@${now.realm}`
    return { userid, ...given, enable, expire: endOf(now.day), ...(groups.length > 0 && { groups }) }
  }

  const shared = {
    opened,
    onClose,
    onErrors: setErrors,
    shown: SHOWN,
    children: (
      <Stack>
        {!user && <NewNames now={now} set={set} errors={errors} />}
        <Fields now={now} set={set} errors={errors} />
      </Stack>
    ),
  }
  if (!user)
    return (
      <ChangeDialog<Operation & 'POST /access/users'>
        {...shared}
        title={t('user.add')}
        operation="POST /access/users"
        params={create}
        submit={t('common:create')}
      />
    )
  return (
    <ChangeDialog<Operation & 'PUT /access/users/{userid}'>
      {...shared}
      title={t('user.editTitle', { user: user.userid })}
      operation="PUT /access/users/{userid}"
      params={() => changes(user, now)}
      submit={t('common:save')}
    />
  )
}

interface Part {
  now: Entered
  set: (change: Partial<Entered>) => void
  errors: Record<string, string>
}

function NewNames({ now, set, errors }: Part) {
  const { t } = useTranslation(['access', 'common'])
  const realms = useApi('GET /access/domains', {}).data
  return (
    <>
      <Group grow align="flex-start">
        <TextInput
          label={t('user.nameField')}
          description={t('user.nameHelp')}
          value={now.name}
          onChange={(event) => set({ name: event.currentTarget.value })}
          error={errors.userid}
          autoComplete="off"
          required
          data-autofocus
        />
        <Select
          label={t('user.realm')}
          description={t('user.realmHelp')}
          data={(realms ?? []).map(({ realm, comment }) => ({
            value: realm,
            label: comment ? `${realm}: ${comment}` : realm,
          }))}
          value={now.realm}
          onChange={(realm) => realm && set({ realm })}
          allowDeselect={false}
        />
      </Group>
      {now.realm === 'pve' && (
        <Group grow align="flex-start">
          <PasswordInput
            label={t('user.password')}
            description={t('user.passwordHelp')}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            value={now.password}
            onChange={(event) => set({ password: event.currentTarget.value })}
            error={errors.password}
            autoComplete="new-password"
          />
          <PasswordInput
            label={t('user.passwordAgain')}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            value={now.again}
            onChange={(event) => set({ again: event.currentTarget.value })}
            error={errors.again}
            autoComplete="new-password"
          />
        </Group>
      )}
    </>
  )
}

function Fields({ now, set, errors }: Part) {
  const { t } = useTranslation(['access', 'common'])
  const groups = useGroups().data
  const names = [...new Set([...(groups ?? []).map((group) => group.groupid), ...now.groups])]
  const text = (word: 'firstname' | 'lastname' | 'email', label: string) => (
    <TextInput
      label={label}
      value={now[word]}
      onChange={(event) => set({ [word]: event.currentTarget.value })}
      error={errors[word]}
      autoComplete="off"
    />
  )
  return (
    <>
      <Group grow align="flex-start">
        {text('firstname', t('user.first'))}
        {text('lastname', t('user.last'))}
      </Group>
      {text('email', t('user.email'))}
      <MultiSelect
        label={t('user.groups')}
        description={t('user.groupsHelp')}
        data={names}
        value={now.groups}
        onChange={(groups) => set({ groups })}
        error={errors.groups}
        searchable
        clearable
        clearButtonProps={{ 'aria-label': t('common:remove') }}
      />
      <TextInput
        type="date"
        label={t('user.expire')}
        description={t('user.expireHelp')}
        value={now.day}
        onChange={(event) => set({ day: event.currentTarget.value })}
        error={errors.expire}
      />
      <Switch
        label={t('user.enabled')}
        description={t('user.enabledHelp')}
        checked={now.enable}
        onChange={(event) => set({ enable: event.currentTarget.checked })}
      />
      <Textarea
        label={t('user.comment')}
        value={now.comment}
        onChange={(event) => set({ comment: event.currentTarget.value })}
        error={errors.comment}
        autosize
        maxRows={4}
      />
    </>
  )
}

interface AboutUser {
  user: User
  opened: boolean
  onClose: () => void
}

/** Shut a user out, or let it in again. */
export function EnableDialog({ user, opened, onClose }: AboutUser) {
  const { t } = useTranslation(['access', 'common'])
  const myself = useMyself()
  const enabled = user.enable === 1
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={enabled ? t('user.disableTitle', { user: user.userid }) : t('user.enableTitle', { user: user.userid })}
      operation="PUT /access/users/{userid}"
      params={() => ({ userid: user.userid, enable: !enabled })}
      submit={enabled ? t('user.disable') : t('user.enable')}
      danger={enabled}
    >
      <Stack>
        <Text>
          {enabled ? t('user.disableText', { user: user.userid }) : t('user.enableText', { user: user.userid })}
        </Text>
        {enabled && user.userid === myself && <Alert color="red">{t('user.yourself')}</Alert>}
      </Stack>
    </ChangeDialog>
  )
}

export function RemoveUserDialog({ user, opened, onClose }: AboutUser) {
  const { t } = useTranslation(['access', 'common'])
  const myself = useMyself()
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('user.removeTitle', { user: user.userid })}
      operation="DELETE /access/users/{userid}"
      params={() => ({ userid: user.userid })}
      submit={t('common:remove')}
      danger
    >
      <Stack>
        <Text>{t('user.removeText')}</Text>
        {user.userid === myself && <Alert color="red">{t('user.yourself')}</Alert>}
      </Stack>
    </ChangeDialog>
  )
}
