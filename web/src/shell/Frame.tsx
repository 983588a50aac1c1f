/** Header, navigation, page and what lies over them. */
import { AppShell, Drawer, useAppShellResize } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { Outlet, useLocation } from '@tanstack/react-router'
import { lazy, Suspense, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useKept } from '@/api/kept'
import { useMay } from '@/api/session'
import { Banners } from '@/shell/Banners'
import classes from '@/shell/Frame.module.css'
import { Header } from '@/shell/Header'
import { Nav } from '@/shell/nav/Nav'
import { TabBar } from '@/shell/nav/TabBar'
import { Overlays } from '@/shell/Overlays'
import { refOfPath } from '@/shell/refs'
import { noteRecent } from '@/shell/remembered'
import { hide, surfaces, useOpen } from '@/shell/surfaces'
import { useGlobalKeys } from '@/shell/useGlobalKeys'

const TaskDrawer = lazy(() => import('@/pages/tasks/TaskDrawer'))
const WIDTH = 290

export function Frame({ username }: { username: string }) {
  const { t } = useTranslation('shell')
  const phone = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
  const [hidden, setHidden] = useKept('corral.nav.hidden', false)
  const [width, setWidth] = useKept('corral.nav.width', WIDTH)
  const resize = useAppShellResize({
    navbar: { min: 200, max: 560, label: t('resizeNav') },
    initialSizes: { navbar: width },
    onResizeEnd: ({ navbar }) => setWidth(navbar ?? WIDTH),
  })
  const mayCreate = useMay('vms', 'VM.Allocate')
  useGlobalKeys(() => setHidden(!hidden), mayCreate)
  useTravel()
  return (
    <>
      <button type="button" className="skip-link" onClick={skip}>
        {t('skip')}
      </button>
      <AppShell
        header={{ height: 52 }}
        footer={{ height: 56, collapsed: !phone, offset: phone }}
        navbar={{ width, breakpoint: 'sm', collapsed: { mobile: true, desktop: hidden } }}
        resize={phone ? undefined : resize}
        padding={0}
        transitionDuration={0}
      >
        <AppShell.Header>
          <Header username={username} navShown={!hidden} onNav={() => setHidden(!hidden)} />
        </AppShell.Header>
        {!phone && <AppShell.Navbar aria-label={t('main')}>{!hidden && <Nav />}</AppShell.Navbar>}
        <AppShell.Main id="main" tabIndex={-1} h="100dvh" className={classes.main}>
          <Banners />
          <div className={classes.page}>
            <Outlet />
          </div>
          <Tasks phone={phone} />
        </AppShell.Main>
        {phone && (
          <AppShell.Footer withBorder>
            <TabBar />
          </AppShell.Footer>
        )}
      </AppShell>
      {phone && <NavDrawer />}
      <Overlays mayCreate={mayCreate} />
    </>
  )
}

const skip = (): void => {
  document.getElementById('main')?.focus()
}

/** What was looked at is remembered, and what lay over the page is put away when another page comes. */
function useTravel(): void {
  const path = useLocation({ select: (location) => location.pathname })
  useEffect(() => {
    const ref = refOfPath(path)
    if (ref) noteRecent(ref)
    if (surfaces.get().open === 'nav') hide()
  }, [path])
}

function Tasks({ phone }: { phone: boolean }) {
  const open = useOpen('tasks')
  return <Suspense fallback={null}>{open && <TaskDrawer phone={phone} />}</Suspense>
}

function NavDrawer() {
  const { t } = useTranslation('shell')
  const { t: common } = useTranslation()
  const open = useOpen('nav')
  return (
    <Drawer
      opened={open}
      onClose={hide}
      title={t('menu')}
      size="88%"
      padding="xs"
      classNames={{ content: classes.drawer, body: classes.drawerBody }}
      closeButtonProps={{ 'aria-label': common('close') }}
    >
      <nav aria-label={t('main')} className={classes.drawerNav}>
        <Nav />
      </nav>
    </Drawer>
  )
}
