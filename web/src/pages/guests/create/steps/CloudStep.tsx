/** What the system in the image is told when it first starts. */
import { Alert, PasswordInput, SimpleGrid, Stack, Switch, Textarea, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { change, isImage, isLocked, useDraft } from '@/pages/guests/create/draft'
import { useErrors } from '@/pages/guests/create/errors'

export function CloudStep() {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const image = isImage(draft.source)
  return (
    <Stack>
      <Switch
        label={t('cloudInit')}
        description={image ? t('cloudInitHint') : t('cloudInitOnlyImages')}
        disabled={!image}
        checked={draft.cloud}
        onChange={(event) => change({ cloud: event.currentTarget.checked })}
      />
      {isLocked(draft) && (
        <Alert color="orange" role="status">
          {t('noWayIn')}
        </Alert>
      )}
      {draft.cloud && (
        <>
          <Access />
          <Addresses />
        </>
      )}
    </Stack>
  )
}

function Access() {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const errors = useErrors()
  const standard = draft.source.kind === 'download' ? draft.source.user : undefined
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label={t('user')}
          description={t('userHint')}
          placeholder={standard ?? t('usersDefault')}
          autoComplete="off"
          value={draft.user}
          error={errors.ciuser}
          onChange={(event) => change({ user: event.currentTarget.value })}
        />
        <PasswordInput
          label={t('password')}
          description={t('passwordHint')}
          autoComplete="new-password"
          value={draft.password}
          error={errors.cipassword}
          visibilityToggleButtonProps={{ 'aria-label': t('showPassword') }}
          onChange={(event) => change({ password: event.currentTarget.value })}
        />
      </SimpleGrid>
      <Textarea
        label={t('keys')}
        description={t('keysHint')}
        placeholder="ssh-ed25519 …"
        autosize
        minRows={2}
        maxRows={6}
        value={draft.keys}
        error={errors.sshkeys}
        onChange={(event) => change({ keys: event.currentTarget.value })}
      />
    </>
  )
}

function Addresses() {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const errors = useErrors()
  return (
    <>
      <Switch
        label={t('dhcp')}
        checked={draft.dhcp}
        onChange={(event) => change({ dhcp: event.currentTarget.checked })}
      />
      {!draft.dhcp && (
        <SimpleGrid cols={{ base: 1, xs: 3 }}>
          <TextInput
            label={t('address')}
            placeholder="192.0.2.10/24"
            required
            value={draft.address}
            error={errors.ipconfig0}
            onChange={(event) => change({ address: event.currentTarget.value })}
          />
          <TextInput
            label={t('gateway')}
            placeholder="192.0.2.1"
            value={draft.gateway}
            onChange={(event) => change({ gateway: event.currentTarget.value })}
          />
          <TextInput
            label={t('nameserver')}
            placeholder="192.0.2.1"
            value={draft.nameserver}
            error={errors.nameserver}
            onChange={(event) => change({ nameserver: event.currentTarget.value })}
          />
        </SimpleGrid>
      )}
    </>
  )
}
