import { PasswordInput, Stack } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { User } from '@/pages/access/data'
import { useMyself } from '@/pages/access/rights'
import { ChangeDialog } from '@/plan/ChangeDialog'

const SHOWN = ['password', 'confirmation-password']

/** Set a user's password; whoever does it says its own to be believed. */
export function PasswordDialog({ user, opened, onClose }: { user: User; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation(['access', 'common'])
  const myself = useMyself()
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  const [own, setOwn] = useState('')
  const [errors, setErrors] = useState<Record<string, string>>({})

  function params() {
    if (password !== again) {
      setErrors({ again: t('user.passwordsDiffer') })
      throw new Error(t('user.passwordsDiffer'))
    }
    return { userid: user.userid, password, ...(own && { 'confirmation-password': own }) }
  }

  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('user.passwordTitle', { user: user.userid })}
      operation="PUT /access/password"
      params={params}
      submit={t('user.passwordSubmit')}
      onErrors={setErrors}
      shown={SHOWN}
      size="md"
    >
      <Stack>
        <PasswordInput
          label={t('user.password')}
          description={t('user.passwordHelp')}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          error={errors.password}
          autoComplete="new-password"
          required
          data-autofocus
        />
        <PasswordInput
          label={t('user.passwordAgain')}
          value={again}
          onChange={(event) => setAgain(event.currentTarget.value)}
          error={errors.again}
          autoComplete="new-password"
          required
        />
        {myself !== 'root@pam' && (
          <PasswordInput
            label={t('user.yourPassword')}
            description={t('user.yourPasswordHelp')}
            value={own}
            onChange={(event) => setOwn(event.currentTarget.value)}
            error={errors['confirmation-password']}
            autoComplete="current-password"
            required
          />
        )}
      </Stack>
    </ChangeDialog>
  )
}
