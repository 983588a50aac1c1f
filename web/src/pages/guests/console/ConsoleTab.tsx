import { Button, Group, SegmentedControl } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import type { Guest } from '@/live/types'
import { AddSerial } from '@/pages/guests/console/AddSerial'
import { type ConsoleKind, type Consoles, consolesOf } from '@/pages/guests/console/consoles'
import { Overlay } from '@/pages/guests/console/Overlay'
import { SerialConsole } from '@/pages/guests/console/Terminal'
import { Vnc } from '@/pages/guests/console/Vnc'
import { useGuestMay } from '@/pages/guests/may'
import { powerOf } from '@/pages/guests/status'
import type { TabProps } from '@/pages/guests/tabs'
import { act } from '@/ui/act'

const asked = (): ConsoleKind | null => {
  const kind = new URLSearchParams(window.location.search).get('kind')
  return kind === 'vnc' || kind === 'serial' ? kind : null
}

export default function ConsoleTab({ guest }: TabProps) {
  const { t } = useTranslation('console')
  const { node, vmid } = guest
  const current = useApi('GET /nodes/{node}/qemu/{vmid}/config', { node, vmid, current: true })
  const [chosen, setChosen] = useState<ConsoleKind | null>(asked)
  if (current.data === undefined && current.error === null) return null
  // Who may use the console but not read the configuration still gets the display.
  const consoles = consolesOf(current.data ?? {})
  const kind = chosen ?? consoles.best
  const running = guest.status === 'running' || guest.status === 'paused'
  const lead = (
    <SegmentedControl
      size="xs"
      value={kind}
      onChange={(value) => setChosen(value as ConsoleKind)}
      aria-label={t('which')}
      data={[
        { value: 'vnc', label: t('vnc') },
        { value: 'serial', label: t('serial') },
      ]}
    />
  )
  const off = running ? null : <Stopped guest={guest} />
  if (kind === 'vnc')
    return <Vnc guest={guest} running={running && consoles.display} lead={lead} off={off ?? <NoDisplay />} />
  return <Serial guest={guest} consoles={consoles} running={running} lead={lead} off={off} />
}

interface SerialProps {
  guest: Guest
  consoles: Consoles
  running: boolean
  lead: ReactNode
  off: ReactNode
}

function Serial({ guest, consoles, running, lead, off }: SerialProps) {
  const port = consoles.ports[0]
  return (
    <SerialConsole
      guest={guest}
      port={port}
      running={running && port !== undefined}
      lead={lead}
      off={port === undefined ? <AddSerial guest={guest} /> : off}
    />
  )
}

function NoDisplay() {
  const { t } = useTranslation('console')
  return <Overlay title={t('noDisplay')} text={t('noDisplayText')} />
}

function Stopped({ guest }: { guest: Guest }) {
  const { t } = useTranslation(['console', 'guest'])
  const may = useGuestMay(guest.vmid)
  const { node, vmid } = guest
  const power = powerOf(guest)
  const start = () => {
    void act(`${t('guest:do.start')}: ${guest.name}`, 'POST /nodes/{node}/qemu/{vmid}/status/start', { node, vmid })
  }
  return (
    <Overlay title={t(power === 'suspended' ? 'suspended' : 'stopped')} text={t('stoppedText')}>
      {may('VM.PowerMgmt') && (
        <Group>
          <Button leftSection={<IconPlayerPlay size={16} />} onClick={start}>
            {power === 'suspended' ? t('guest:do.resume') : t('guest:do.start')}
          </Button>
        </Group>
      )}
    </Overlay>
  )
}
