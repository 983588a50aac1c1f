import { Alert, Button, Center, Checkbox, Paper, PasswordInput, Stack, TextInput, Title } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { logIn } from '@/api/session'

export function Login() {
  const { t } = useTranslation('session')
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const [user = '', realm = 'pam'] = String(form.get('username')).split('@')
    setBusy(true)
    try {
      await logIn(user, realm, String(form.get('password')), form.has('remember'))
    } catch {
      setError(t('refused'))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Center h="100%" component="main">
      <Paper withBorder p="xl" w={360} component="form" onSubmit={submit}>
        <Stack>
          <Title order={1}>Corral</Title>
          {error && <Alert color="red">{error}</Alert>}
          <TextInput name="username" label={t('username')} autoComplete="username" required autoFocus />
          <PasswordInput name="password" label={t('password')} autoComplete="current-password" required />
          <Checkbox name="remember" label={t('remember')} />
          <Button type="submit" loading={busy}>
            {t('logIn')}
          </Button>
        </Stack>
      </Paper>
    </Center>
  )
}
