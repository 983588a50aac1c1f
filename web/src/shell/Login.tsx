import { Paper, Stack, Text, Title } from '@mantine/core'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import classes from '@/shell/Login.module.css'
import { Appearance } from '@/shell/login/Appearance'
import { LoginForm } from '@/shell/login/LoginForm'

/** The page for those who are not logged in. */
export function Login() {
  const { t } = useTranslation('session')
  useEffect(() => {
    document.title = `${t('logIn')} · Corral`
  }, [t])
  return (
    <main className={classes.page}>
      <div className={classes.column}>
        <Stack gap={6} align="center" mb="lg">
          <img src="/corral.svg" alt="" width={48} height={48} />
          <Title order={1}>Corral</Title>
          <Text size="sm" c="dimmed">
            {window.location.hostname}
          </Text>
        </Stack>
        <Paper withBorder p="lg" radius="lg" className={classes.card}>
          <LoginForm />
        </Paper>
        <div className={classes.below}>
          <Appearance />
        </div>
      </div>
    </main>
  )
}
