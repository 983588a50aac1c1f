/** The second step of a log-in: a code from an app, or one of the codes kept for emergencies. */
import { Anchor, Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Problem } from '@/shell/login/form'
import { ProblemText } from '@/shell/login/LoginForm'

interface Props {
  username: string
  busy: boolean
  problem?: Problem
  /** The response as the API wants it: `totp:123456`, `recovery:…`. */
  answer: (response: string) => void
  back: () => void
}

export function FactorForm({ username, busy, problem, answer, back }: Props) {
  const { t } = useTranslation('session')
  const [kind, setKind] = useState<'totp' | 'recovery'>('totp')

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const code = String(new FormData(event.currentTarget).get('code')).replace(/\s/g, '')
    answer(`${kind}:${code}`)
  }

  return (
    <form onSubmit={submit} method="post">
      <Stack gap="md">
        <Text size="sm">{t('factor.explain', { username })}</Text>
        <TextInput
          key={kind}
          name="code"
          label={t(`factor.${kind}`)}
          autoComplete={kind === 'totp' ? 'one-time-code' : 'off'}
          inputMode={kind === 'totp' ? 'numeric' : 'text'}
          className="mono"
          required
          withAsterisk={false}
          data-autofocus
          autoFocus
        />
        <ProblemText problem={problem} />
        <Button type="submit" loading={busy} fullWidth>
          {t('factor.confirm')}
        </Button>
        <Group justify="space-between">
          <Anchor component="button" type="button" size="sm" onClick={back}>
            {t('factor.back')}
          </Anchor>
          <Anchor
            component="button"
            type="button"
            size="sm"
            onClick={() => setKind(kind === 'totp' ? 'recovery' : 'totp')}
          >
            {t(kind === 'totp' ? 'factor.useRecovery' : 'factor.useTotp')}
          </Anchor>
        </Group>
      </Stack>
    </form>
  )
}
