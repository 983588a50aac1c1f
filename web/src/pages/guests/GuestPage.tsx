import { Button, Center, EmptyState, Loader, VisuallyHidden } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconDeviceDesktopQuestion } from '@tabler/icons-react'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { Suspense, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useGuest, useInventory } from '@/live/inventory'
import type { Guest } from '@/live/types'
import { isPopout } from '@/pages/guests/console/popout'
import classes from '@/pages/guests/GuestPage.module.css'
import { GuestHeader } from '@/pages/guests/header/GuestHeader'
import { PowerBar } from '@/pages/guests/header/Power'
import { useGuestMay } from '@/pages/guests/may'
import { CONSOLE, tabsOf } from '@/pages/guests/tabs'
import { Page } from '@/ui/Page'
import { RouteTabs } from '@/ui/RouteTabs'

const Waiting = () => (
  <Center p="xl">
    <Loader />
  </Center>
)

export default function GuestPage() {
  const { t } = useTranslation('guest')
  const { vmid } = useParams({ strict: false }) as { vmid: string }
  const guest = useGuest(Number(vmid))
  const { ready } = useInventory()
  if (guest) return <Known guest={guest} key={guest.vmid} />
  if (!ready) return <Waiting />
  return (
    <Page title={`VM ${vmid}`}>
      <EmptyState
        py="xl"
        icon={<IconDeviceDesktopQuestion />}
        title={t('missing.title', { vmid })}
        description={t('missing.text')}
      >
        <EmptyState.Actions>
          <Button component={Link} to="/guests">
            {t('missing.all')}
          </Button>
        </EmptyState.Actions>
      </EmptyState>
    </Page>
  )
}

function useTitle(guest: Guest): void {
  useEffect(() => {
    document.title = `${guest.name} (${guest.vmid}) · Corral`
  }, [guest.name, guest.vmid])
}

function Known({ guest }: { guest: Guest }) {
  const { t } = useTranslation('guest')
  const navigate = useNavigate()
  const { tab } = useParams({ strict: false }) as { tab?: string }
  const may = useGuestMay(guest.vmid)
  const phone = useMediaQuery('(max-width: 47.99em)', false) ?? false
  useTitle(guest)
  const popout = isPopout()
  const tabs = tabsOf(guest, may).map(({ name, flush, body: Body }) => ({
    id: name,
    label: t(`tabs.${name}`),
    flush,
    panel: () => <Body guest={guest} />,
  }))
  if (popout) return <Popout guest={guest} />
  return (
    <div className={classes.page}>
      <GuestHeader guest={guest} may={may} phone={phone} />
      <div className={classes.body}>
        <RouteTabs
          tabs={tabs}
          current={tab}
          label={t('tabs.label')}
          onChange={(to) =>
            void navigate({ to: '/guests/$vmid/$tab', params: { vmid: String(guest.vmid), tab: to } as never })
          }
        />
      </div>
      {phone && tab !== 'console' && <PowerBar guest={guest} may={may} />}
    </div>
  )
}

/** A window of its own: the console, and nothing around it. */
function Popout({ guest }: { guest: Guest }) {
  const Console = CONSOLE.body
  return (
    <Suspense fallback={<Waiting />}>
      <VisuallyHidden>
        <h1>{guest.name}</h1>
      </VisuallyHidden>
      <Console guest={guest} />
    </Suspense>
  )
}
