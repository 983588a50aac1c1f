import { Outlet, useLocation } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { queries } from '@/api/query'
import { startRenewal, useSession } from '@/api/session'
import { startChanges } from '@/live/changes'
import { startInventory } from '@/live/inventory'
import { browser } from '@/live/outside'
import { startStream } from '@/live/stream'
import { startTasks } from '@/live/tasks'
import { Frame } from '@/shell/Frame'
import { LogInAgain } from '@/shell/LogInAgain'
import { Login } from '@/shell/Login'
import { Page } from '@/ui/Page'

/** The frame around every page: login first, then navigation, search, tasks. */
export function Shell() {
  const session = useSession()
  if (session.kind === 'unknown') return null
  if (session.kind === 'none') return <Login />
  const { username } = session.session
  return (
    <>
      <Open key={username} username={username} />
      <LogInAgain />
    </>
  )
}

/** Everything that one user sees; another one starts with nothing of it. */
function Open({ username }: { username: string }) {
  const session = useSession()
  useLive()
  useEffect(() => {
    // What was refused while the session was lost is read again.
    if (session.kind === 'open') void queries.refetchQueries({ predicate: (query) => query.state.status === 'error' })
  }, [session.kind])
  // A window of its own (a console) has no frame.
  const popout = useLocation({ select: ({ searchStr }) => new URLSearchParams(searchStr).has('popout') })
  if (popout) {
    return (
      <main id="main" style={{ height: '100dvh' }}>
        <Outlet />
      </main>
    )
  }
  return <Frame username={username} />
}

function useLive(): void {
  useEffect(() => {
    const stops = [startTasks(), startChanges(), startInventory(), startStream(browser), startRenewal()]
    return () => {
      for (const stop of stops) stop()
    }
  }, [])
}

export function Lost() {
  const { t } = useTranslation()
  return <Page title={t('notFound')}>{null}</Page>
}
