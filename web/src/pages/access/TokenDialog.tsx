import {
  Alert,
  Button,
  Checkbox,
  CopyButton,
  Group,
  Modal,
  Select,
  Stack,
  Switch,
  Textarea,
  TextInput,
} from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Operation } from '@/api/client'
import { type Token, useUsers } from '@/pages/access/data'
import { dayOf, endOf } from '@/pages/access/expiry'
import { useMyself } from '@/pages/access/rights'
import { ChangeDialog } from '@/plan/ChangeDialog'

/** A token to change, or whose a new one is. */
export interface TokenWish {
  token?: Token
  user?: string
}

/** A secret that was just made. */
export interface Shown {
  id: string
  secret: string
  privsep: boolean
}

export function TokenDialog({
  wish,
  opened,
  onClose,
  onSecret,
}: {
  wish: TokenWish
  opened: boolean
  onClose: () => void
  onSecret: (shown: Shown) => void
}) {
  const { t } = useTranslation(['access', 'common'])
  const { token } = wish
  const myself = useMyself()
  const [userid, setUserid] = useState(token?.userid ?? wish.user ?? myself.split('!')[0] ?? '')
  const [name, setName] = useState('')
  const [settings, setSettings] = useState({
    comment: token?.comment ?? '',
    day: dayOf(token?.expire ?? 0),
    privsep: token?.privsep ?? true,
  })
  const [errors, setErrors] = useState<Record<string, string>>({})
  const { comment, day, privsep } = settings
  const fields = <Settings now={settings} onChange={setSettings} errors={errors} user={userid} />
  const shared = { opened, onClose, onErrors: setErrors, shown: ['userid', 'tokenid', 'comment', 'expire'] }

  if (token)
    return (
      <ChangeDialog<Operation & 'PUT /access/users/{userid}/token/{tokenid}'>
        {...shared}
        title={t('token.editTitle', { token: token.id })}
        operation="PUT /access/users/{userid}/token/{tokenid}"
        params={() => ({ userid: token.userid, tokenid: token.tokenid, comment, expire: endOf(day), privsep })}
        submit={t('common:save')}
      >
        {fields}
      </ChangeDialog>
    )
  return (
    <ChangeDialog<Operation & 'POST /access/users/{userid}/token/{tokenid}'>
      {...shared}
      title={t('token.addTitle')}
      operation="POST /access/users/{userid}/token/{tokenid}"
      params={() => ({ userid, tokenid: name, ...(comment && { comment }), expire: endOf(day), privsep })}
      submit={t('common:create')}
      onDone={(made) => onSecret({ id: made['full-tokenid'], secret: made.value, privsep })}
    >
      <Stack>
        <WhoseAndName userid={userid} setUserid={setUserid} name={name} setName={setName} errors={errors} />
        {fields}
      </Stack>
    </ChangeDialog>
  )
}

function WhoseAndName(props: {
  userid: string
  setUserid: (userid: string) => void
  name: string
  setName: (name: string) => void
  errors: Record<string, string>
}) {
  const { t } = useTranslation(['access', 'common'])
  const users = (useUsers().data ?? []).map((user) => user.userid)
  return (
    <Group grow align="flex-start">
      <Select
        label={t('token.user')}
        description={t('token.userHelp')}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        data={[...new Set([...users, props.userid])].filter(Boolean)}
        value={props.userid}
        onChange={(userid) => userid && props.setUserid(userid)}
        error={props.errors.userid}
        allowDeselect={false}
        searchable
      />
      <TextInput
        label={t('token.name')}
        description={t('token.nameHelp')}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        value={props.name}
        onChange={(event) => props.setName(event.currentTarget.value)}
        error={props.errors.tokenid}
        required
        data-autofocus
      />
    </Group>
  )
}

interface Set {
  comment: string
  day: string
  privsep: boolean
}

function Settings({
  now,
  onChange,
  errors,
  user,
}: {
  now: Set
  onChange: (next: Set) => void
  errors: Record<string, string>
  user: string
}) {
  const { t } = useTranslation(['access', 'common'])
  return (
    <Stack>
      <Switch
        label={t('token.privsepField')}
        description={t('token.privsepHelp')}
        checked={now.privsep}
        onChange={(event) => onChange({ ...now, privsep: event.currentTarget.checked })}
      />
      {!now.privsep && <Alert color="yellow">{t('token.privsepWarning', { user })}</Alert>}
      <TextInput
        type="date"
        label={t('token.expire')}
        description={t('token.expireHelp')}
        value={now.day}
        onChange={(event) => onChange({ ...now, day: event.currentTarget.value })}
        error={errors.expire}
      />
      <Textarea
        label={t('token.comment')}
        value={now.comment}
        onChange={(event) => onChange({ ...now, comment: event.currentTarget.value })}
        error={errors.comment}
        autosize
        maxRows={4}
      />
    </Stack>
  )
}

/** The secret, once. It is closed only by somebody who says that it is stored. */
export function SecretDialog({
  shown,
  opened,
  onClose,
  onGrant,
}: {
  shown: Shown
  opened: boolean
  onClose: () => void
  onGrant: (id: string) => void
}) {
  const { t } = useTranslation(['access', 'common'])
  const [stored, setStored] = useState(false)
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('token.secretTitle', { token: shown.id })}
      size="lg"
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      <Stack>
        <Alert color="yellow">{t('token.secretOnce')}</Alert>
        <Copied label={t('token.secret')} value={shown.secret} />
        <Copied label={t('token.header')} value={`Authorization: PVEAPIToken=${shown.id}=${shown.secret}`} />
        {shown.privsep && <Alert variant="light">{t('token.needsAcl')}</Alert>}
        <Checkbox
          label={t('token.stored')}
          checked={stored}
          onChange={(event) => setStored(event.currentTarget.checked)}
        />
        <Group justify="flex-end">
          {shown.privsep && (
            <Button
              variant="default"
              disabled={!stored}
              onClick={() => {
                onClose()
                onGrant(shown.id)
              }}
            >
              {t('token.givePermission')}
            </Button>
          )}
          <Button disabled={!stored} onClick={onClose}>
            {t('common:close')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function Copied({ label, value }: { label: string; value: string }) {
  const { t } = useTranslation()
  return (
    <Group align="flex-end" gap="xs" wrap="nowrap">
      <TextInput
        label={label}
        value={value}
        readOnly
        flex={1}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        onFocus={(event) => event.currentTarget.select()}
      />
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button
            variant="default"
            onClick={copy}
            leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            aria-label={`${t('copy')}: ${label}`}
          >
            {copied ? t('copied') : t('copy')}
          </Button>
        )}
      </CopyButton>
    </Group>
  )
}
