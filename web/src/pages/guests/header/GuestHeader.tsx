import { ActionIcon, Anchor, Badge, Button, Group, Text, Title, Tooltip } from '@mantine/core'
import { IconCopy, IconLock, IconTerminal2 } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Guest } from '@/live/types'
import classes from '@/pages/guests/GuestPage.module.css'
import { MoreMenu } from '@/pages/guests/header/MoreMenu'
import { PowerButtons } from '@/pages/guests/header/Power'
import { Tags } from '@/pages/guests/header/Tags'
import { powerOf } from '@/pages/guests/status'
import { guestRef } from '@/shell/refs'
import { Star } from '@/shell/Star'
import { StatusDot } from '@/ui/StatusDot'

export interface HeaderProps {
  guest: Guest
  may: (privilege: string) => boolean
}

export function GuestHeader({ guest, may, phone = false }: HeaderProps & { phone?: boolean }) {
  const { t } = useTranslation('guest')
  return (
    <header className={classes.head}>
      <div className={classes.line}>
        <Title order={1} className={classes.title}>
          {guest.name}
        </Title>
        <Star of={guestRef(guest.vmid)} />
        <div className={classes.actions}>
          {!phone && <PowerButtons guest={guest} may={may} />}
          {!phone && !guest.template && may('VM.Console') && (
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
          <MoreMenu guest={guest} may={may} />
        </div>
      </div>
      <Facts guest={guest} />
      <Group mt={6}>
        <Tags guest={guest} may={may} />
      </Group>
    </header>
  )
}

function Facts({ guest }: { guest: Guest }) {
  const { t } = useTranslation('guest')
  const power = powerOf(guest)
  return (
    <div className={classes.line}>
      <StatusDot status={power} label={t(`power.${power}`)} />
      <Group gap={2}>
        <Text size="sm" className="numeric">
          VM {guest.vmid}
        </Text>
        <CopyId vmid={guest.vmid} />
      </Group>
      <Text size="sm">
        {t('onNode')}{' '}
        <Anchor inherit component={Link} to="/nodes/$node" params={{ node: guest.node } as never} underline="always">
          {guest.node}
        </Anchor>
      </Text>
      {guest.pool && (
        <Text size="sm">
          {t('inPool')}{' '}
          <Anchor inherit component={Link} to="/pools/$pool" params={{ pool: guest.pool } as never} underline="always">
            {guest.pool}
          </Anchor>
        </Text>
      )}
      {guest.template && <Badge variant="default">{t('template')}</Badge>}
      {guest.lock && (
        <Tooltip label={t('lockedWhy')}>
          <Badge variant="default" leftSection={<IconLock size={12} />} tt="none">
            {t('locked', { lock: guest.lock })}
          </Badge>
        </Tooltip>
      )}
    </div>
  )
}

function CopyId({ vmid }: { vmid: number }) {
  const { t } = useTranslation('guest')
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="sm"
      aria-label={t('copyId')}
      onClick={() => void navigator.clipboard.writeText(String(vmid))}
    >
      <IconCopy size={14} />
    </ActionIcon>
  )
}
