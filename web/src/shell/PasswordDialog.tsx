import { PasswordInput, Stack } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSession } from '@/api/session'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { hide } from '@/shell/surfaces'
import { notify } from '@/ui/notify'

/** The user's own password. */
export default function PasswordDialog() {
  const { t } = useTranslation('session')
  const session = useSession()
  const [present, setPresent] = useState('')
  const [next, setNext] = useState('')
  const [repeat, setRepeat] = useState('')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const userid = session.kind === 'open' || session.kind === 'lost' ? session.session.username : ''
  const shown = { visibilityToggleButtonProps: { 'aria-label': t('showPassword') }, withAsterisk: false }

  function params() {
    if (next !== repeat) throw new Error(t('change.differ'))
    return { userid, password: next, 'confirmation-password': userid === 'root@pam' ? undefined : present }
  }

  return (
    <ChangeDialog
      opened
      onClose={hide}
      title={t('change.title')}
      operation="PUT /access/password"
      params={params}
      submit={t('change.title')}
      size="md"
      onErrors={setErrors}
      onDone={() => notify.show({ message: t('change.done'), color: 'green' })}
    >
      <Stack>
        <input type="text" name="username" autoComplete="username" value={userid} readOnly hidden />
        {userid !== 'root@pam' && (
          <PasswordInput
            {...shown}
            label={t('change.present')}
            autoComplete="current-password"
            value={present}
            error={errors['confirmation-password']}
            onChange={(event) => setPresent(event.currentTarget.value)}
            data-autofocus
            required
          />
        )}
        <PasswordInput
          {...shown}
          label={t('change.next')}
          description={t('change.hint')}
          autoComplete="new-password"
          value={next}
          error={errors.password}
          onChange={(event) => setNext(event.currentTarget.value)}
          minLength={8}
          maxLength={64}
          required
        />
        <PasswordInput
          {...shown}
          label={t('change.repeat')}
          autoComplete="new-password"
          value={repeat}
          error={repeat !== '' && repeat !== next ? t('change.differ') : undefined}
          onChange={(event) => setRepeat(event.currentTarget.value)}
          required
        />
      </Stack>
    </ChangeDialog>
  )
}
