import { AppShell, Burger, Button, Group, NavLink, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Link, Outlet } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { logOut, startRenewal, useSession } from '@/api/session'
import { startChanges } from '@/live/changes'
import { startInventory } from '@/live/inventory'
import { browser } from '@/live/outside'
import { startStream } from '@/live/stream'
import { startTasks } from '@/live/tasks'
import { LogInAgain } from '@/shell/LogInAgain'
import { Login } from '@/shell/Login'

/** The frame around every page: login first, then navigation, search, tasks. */
export function Shell() {
  const session = useSession()
  if (session.kind === 'unknown') return null
  if (session.kind === 'none') return <Login />
  return (
    <>
      <Frame username={session.session.username} />
      <LogInAgain />
    </>
  )
}

function useLive(): void {
  useEffect(() => {
    const stops = [startTasks(), startChanges(), startInventory(), startStream(browser), startRenewal()]
    return () => {
      for (const stop of stops) stop()
    }
  }, [])
}

function Frame({ username }: { username: string }) {
  const { t } = useTranslation('shell')
  const [opened, { toggle }] = useDisclosure()
  useLive()
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 280, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={0}
    >
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between">
          <Group>
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t('menu')} />
            <Text fw={700}>Corral</Text>
          </Group>
          <Group>
            <Text size="sm">{username}</Text>
            <Button size="xs" variant="default" onClick={() => void logOut()}>
              {t('logOut')}
            </Button>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs">
        <NavLink component={Link} to="/guests" label={t('guests')} />
        <NavLink component={Link} to="/nodes" label={t('nodes')} />
        <NavLink component={Link} to="/storage" label={t('storage')} />
        <NavLink component={Link} to="/tasks" label={t('tasks')} />
      </AppShell.Navbar>
      <AppShell.Main id="main" h="100dvh">
        <Outlet />
      </AppShell.Main>
    </AppShell>
  )
}

export function Lost() {
  const { t } = useTranslation()
  return <Text p="md">{t('notFound')}</Text>
}
