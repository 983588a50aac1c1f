/** Name, realm and password, then the second factor where one is wanted. Plain fields, so that password managers work. */
import { Alert, Button, Checkbox, NativeSelect, PasswordInput, Stack, Text, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { kept } from '@/api/kept'
import { useApi } from '@/api/query'
import { REMEMBER } from '@/api/session'
import { FactorForm } from '@/shell/login/FactorForm'
import { type Given, lastLogin, type Problem, splitUser, useLogin } from '@/shell/login/form'

/** `who`: only this user may log in here (the session that was lost). */
export function LoginForm({ who, onOpen = () => undefined }: { who?: string; onOpen?: () => void }) {
  const { state, send, back } = useLogin(onOpen)
  const [given, setGiven] = useState<Given | null>(null)
  if (state.step === 'factor' && given) {
    const { username, challenge, problem, busy } = state
    const answer = (password: string) => void send({ ...given, password }, challenge)
    return <FactorForm {...{ username, problem, busy, answer, back }} />
  }
  const submit = (next: Given) => {
    setGiven(next)
    void send(next)
  }
  return <PasswordForm who={who} busy={state.busy} problem={state.problem} submit={submit} />
}

function useRealms() {
  const answer = useApi('GET /access/domains', {}, { retry: 1 })
  const rows = answer.data ?? [{ realm: 'pam', type: 'pam' }]
  const chosen = lastLogin()?.realm ?? rows.find((row) => row.default)?.realm ?? 'pam'
  return { rows, realms: rows.map((row) => row.realm), chosen }
}

interface Props {
  who?: string
  busy: boolean
  problem?: Problem
  submit: (given: Given) => void
}

function PasswordForm({ who, busy, problem, submit }: Props) {
  const { t } = useTranslation('session')
  const { rows, realms, chosen } = useRealms()
  const [realm, setRealm] = useState<string | null>(null)
  const at = who?.lastIndexOf('@') ?? -1

  function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const user = who
      ? { username: who.slice(0, at), realm: who.slice(at + 1) }
      : splitUser(String(form.get('username')), realm ?? chosen, realms)
    submit({ ...user, password: String(form.get('password')), remember: form.has('remember') })
  }

  return (
    <form onSubmit={onSubmit} method="post">
      <Stack gap="md">
        <TextInput
          name="username"
          label={t('username')}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          defaultValue={who ?? lastLogin()?.username ?? ''}
          readOnly={who !== undefined}
          required
          withAsterisk={false}
          data-autofocus={(!who && !lastLogin()) || undefined}
          autoFocus={!who && !lastLogin()}
        />
        {!who && (
          <NativeSelect
            name="realm"
            label={t('realm')}
            value={realm ?? chosen}
            onChange={(event) => setRealm(event.currentTarget.value)}
            data={rows.map((row) => ({
              value: row.realm,
              label: row.comment ? `${row.realm} · ${row.comment}` : row.realm,
            }))}
          />
        )}
        <PasswordInput
          name="password"
          label={t('password')}
          autoComplete="current-password"
          required
          withAsterisk={false}
          data-autofocus={who || lastLogin() ? true : undefined}
          autoFocus={who !== undefined || lastLogin() !== null}
          visibilityToggleButtonProps={{ 'aria-label': t('showPassword') }}
        />
        <Checkbox name="remember" label={t('remember')} defaultChecked={kept(REMEMBER, false)} />
        <ProblemText problem={problem} />
        <Button type="submit" loading={busy} fullWidth>
          {t('logIn')}
        </Button>
      </Stack>
    </form>
  )
}

/** Near the button, and read out when it comes. */
export function ProblemText({ problem }: { problem?: Problem }) {
  const { t } = useTranslation('session')
  return (
    <div role="alert">
      {problem && (
        <Alert role="presentation" color="red" variant="light" p="xs">
          <Text size="sm" c="var(--corral-bad)">
            {t(`problem.${problem}`)}
          </Text>
        </Alert>
      )}
    </div>
  )
}
