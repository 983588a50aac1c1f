import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core'
import { IconClockPause } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Guest } from '@/live/types'
import { type PendingRow, waiting } from '@/pages/guests/hardware/devices'
import { type Ending, PowerDialog } from '@/pages/guests/header/PowerDialog'
import { ChangeDialog } from '@/plan/ChangeDialog'

/** What takes effect at the next start, and the ways out of waiting. */
export function PendingNotice({
  guest,
  rows,
  may,
}: {
  guest: Guest
  rows: readonly PendingRow[]
  may: (privilege: string) => boolean
}) {
  const { t } = useTranslation('guest')
  const [ending, setEnding] = useState<Ending | null>(null)
  const [reverting, setReverting] = useState(false)
  const names = waiting(rows)
  const { node, vmid } = guest
  if (names.length === 0) return null
  return (
    <Alert
      color="yellow"
      icon={<IconClockPause size={20} color="var(--corral-warn)" />}
      title={t('pending.title', { count: names.length })}
      styles={{ title: { color: 'var(--mantine-color-text)' } }}
    >
      <Stack gap="xs">
        <Text size="sm">
          {t('pending.text')} {names.join(', ')}
        </Text>
        <Group gap="xs">
          {may('VM.PowerMgmt') && guest.status === 'running' && (
            <Button size="compact-sm" variant="default" onClick={() => setEnding('reboot')}>
              {t('do.reboot')}
            </Button>
          )}
          <Button size="compact-sm" variant="default" onClick={() => setReverting(true)}>
            {t('pending.revert')}
          </Button>
        </Group>
      </Stack>
      <PowerDialog guest={guest} ending={ending} onClose={() => setEnding(null)} />
      <ChangeDialog
        opened={reverting}
        onClose={() => setReverting(false)}
        title={t('pending.revertTitle')}
        operation="PUT /nodes/{node}/qemu/{vmid}/config"
        params={() => ({ node, vmid, revert: names.join(',') })}
        submit={t('pending.revert')}
        size="md"
      >
        <Text size="sm">{t('pending.revertText')}</Text>
        <Code block>{names.join('\n')}</Code>
      </ChangeDialog>
    </Alert>
  )
}
