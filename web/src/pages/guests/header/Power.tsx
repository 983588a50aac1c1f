import { Button, Menu } from '@mantine/core'
import {
  IconChevronDown,
  IconMoon,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconPower,
  IconRefresh,
  IconRotateClockwise2,
  IconTerminal2,
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Operation } from '@/api/client'
import classes from '@/pages/guests/GuestPage.module.css'
import type { HeaderProps } from '@/pages/guests/header/GuestHeader'
import { type Ending, PowerDialog } from '@/pages/guests/header/PowerDialog'
import { powerOf } from '@/pages/guests/status'
import { act } from '@/ui/act'

type Simple = Extract<Operation, `POST /nodes/{node}/qemu/{vmid}/status/${'start' | 'resume' | 'suspend'}`>

const ENDINGS: readonly { name: Ending; icon: typeof IconPower; danger?: boolean }[] = [
  { name: 'reboot', icon: IconRefresh },
  { name: 'hibernate', icon: IconMoon },
  { name: 'reset', icon: IconRotateClockwise2, danger: true },
  { name: 'stop', icon: IconPlayerStop, danger: true },
]

/** What can be done with a guest's power now: one button for the likely thing, the rest in its menu. */
export function PowerButtons({ guest, may }: HeaderProps) {
  const { t } = useTranslation('guest')
  const [ending, setEnding] = useState<Ending | null>(null)
  if (guest.type !== 'qemu' || guest.template || !may('VM.PowerMgmt')) return null
  const power = powerOf(guest)
  const { node, vmid } = guest
  const run = (title: string, operation: Simple) => void act(`${title}: ${guest.name}`, operation, { node, vmid })
  const start = () => run(t('do.start'), 'POST /nodes/{node}/qemu/{vmid}/status/start')
  const resume = () => run(t('do.resume'), 'POST /nodes/{node}/qemu/{vmid}/status/resume')
  const pause = () => run(t('do.pause'), 'POST /nodes/{node}/qemu/{vmid}/status/suspend')
  const off = power === 'stopped' || power === 'suspended' || power === 'unknown'
  return (
    <>
      {off && (
        <Button leftSection={<IconPlayerPlay size={16} />} onClick={start} disabled={power === 'unknown'}>
          {power === 'suspended' ? t('do.resume') : t('do.start')}
        </Button>
      )}
      {power === 'paused' && (
        <Button leftSection={<IconPlayerPlay size={16} />} onClick={resume}>
          {t('do.resume')}
        </Button>
      )}
      {!off && (
        <Button.Group>
          <Button
            variant="default"
            leftSection={<IconPower size={16} />}
            onClick={() => setEnding('shutdown')}
            style={{ flex: 1 }}
          >
            {t('do.shutdown')}
          </Button>
          <PowerMenu onChoose={setEnding} onPause={power === 'running' ? pause : undefined} />
        </Button.Group>
      )}
      <PowerDialog guest={guest} ending={ending} onClose={() => setEnding(null)} />
    </>
  )
}

function PowerMenu({ onChoose, onPause }: { onChoose: (ending: Ending) => void; onPause?: () => void }) {
  const { t } = useTranslation('guest')
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button variant="default" px={8} aria-label={t('do.more')}>
          <IconChevronDown size={16} />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {onPause && (
          <Menu.Item leftSection={<IconPlayerPause size={16} />} onClick={onPause}>
            {t('do.pause')}
          </Menu.Item>
        )}
        {ENDINGS.map(({ name, icon: Icon, danger }) => (
          <Menu.Item
            key={name}
            leftSection={<Icon size={16} />}
            color={danger ? 'var(--corral-bad)' : undefined}
            onClick={() => onChoose(name)}
          >
            {t(`do.${name}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

/** The same within a thumb's reach, on phones. */
export function PowerBar({ guest, may }: HeaderProps) {
  const { t } = useTranslation('guest')
  if (guest.template || !(may('VM.PowerMgmt') || may('VM.Console'))) return null
  return (
    <div className={classes.bar} role="toolbar" aria-label={t('do.bar')}>
      <PowerButtons guest={guest} may={may} />
      {may('VM.Console') && (
        <Button
          component={Link}
          to="/guests/$vmid/$tab"
          params={{ vmid: String(guest.vmid), tab: 'console' } as never}
          variant="default"
          leftSection={<IconTerminal2 size={16} />}
        >
          {t('tabs.console')}
        </Button>
      )}
    </div>
  )
}
