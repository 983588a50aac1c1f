import { ActionIcon, Badge, Button, Group, Menu, Text } from '@mantine/core'
import { IconDots } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Guest } from '@/live/types'
import { actionsOf, ICONS } from '@/pages/guests/hardware/actions'
import { describe, type Words } from '@/pages/guests/hardware/describe'
import type { Device } from '@/pages/guests/hardware/devices'
import classes from '@/pages/guests/hardware/Hardware.module.css'
import type { Asked } from '@/pages/guests/hardware/HardwareDialogs'
import { act } from '@/ui/act'

interface RowProps {
  guest: Guest
  device: Device
  may: (privilege: string) => boolean
  onAsk: (asked: Asked) => void
}

/** One device: what it is, what it will be, what can be done with it. */
export function DeviceRow({ guest, device, may, onAsk }: RowProps) {
  const { t } = useTranslation('guest')
  const Icon = ICONS[device.kind]
  const single = device.keys.length === 1
  return (
    <li className={classes.device}>
      <Icon size={18} aria-hidden />
      <div className={classes.name}>
        <Text size="sm" fw={600}>
          {t(`hw.kind.${device.kind}`)}
        </Text>
        {single && (
          <Text size="xs" c="dimmed" className="mono">
            {device.key}
          </Text>
        )}
      </div>
      <div className={classes.words}>
        <Values device={device} />
      </div>
      <Actions guest={guest} device={device} may={may} onAsk={onAsk} />
    </li>
  )
}

function Values({ device }: { device: Device }) {
  const { t } = useTranslation('guest')
  const now = describe(device, device.now, t)
  const then = describe(device, device.next, t)
  if (device.state === 'same') return <Said words={now} />
  return (
    <>
      {device.state !== 'new' && <Said words={now} gone={device.state === 'removed'} />}
      <Group gap={8} mt={2} align="center">
        <Badge size="sm" variant="light" color="yellow" tt="none" c="var(--corral-warn)">
          {t(`hw.state.${device.state}`)}
        </Badge>
        {device.state !== 'removed' && <Said words={then} />}
      </Group>
    </>
  )
}

function Said({ words, gone = false }: { words: Words; gone?: boolean }) {
  return (
    <span className={gone ? classes.gone : undefined}>
      <Text span size="sm" className={words.mono ? 'mono' : undefined}>
        {words.main}
      </Text>
      {words.facts.length > 0 && (
        <Text span size="sm" c="dimmed">
          {' · '}
          {words.facts.join(' · ')}
        </Text>
      )}
    </span>
  )
}

function Actions({ guest, device, may, onAsk }: RowProps) {
  const { t } = useTranslation(['guest', 'common'])
  const { node, vmid } = guest
  const name = `${t(`hw.kind.${device.kind}`)}${device.keys.length === 1 ? ` ${device.key}` : ''}`
  const { main, more } = actionsOf(device, may)
  const waits = device.state !== 'same'
  const revert = () =>
    void act(t('hw.revert'), 'PUT /nodes/{node}/qemu/{vmid}/config', { node, vmid, revert: device.keys.join(',') })
  if (!main && more.length === 0) return <span />
  return (
    <div className={classes.actions}>
      {waits && (
        <Button size="compact-sm" variant="default" onClick={revert} aria-label={t('hw.revertOf', { name })}>
          {t('hw.revert')}
        </Button>
      )}
      {main && device.state !== 'removed' && (
        <Button
          size="compact-sm"
          variant="subtle"
          onClick={() => onAsk({ what: main, device })}
          aria-label={t('hw.doOf', { what: t(`hw.do.${main}`), name })}
        >
          {t(`hw.do.${main}`)}
        </Button>
      )}
      {more.length > 0 && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={t('hw.more', { name })}>
              <IconDots size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {more.map((what) => (
              <Menu.Item
                key={what}
                color={what === 'remove' ? 'var(--corral-bad)' : undefined}
                onClick={() => onAsk({ what, device })}
              >
                {t(`hw.do.${what}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </div>
  )
}
