import { Checkbox, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Guest } from '@/live/types'
import { ChangeDialog } from '@/plan/ChangeDialog'

/** What ends a guest's work. */
export type Ending = 'shutdown' | 'reboot' | 'hibernate' | 'reset' | 'stop'

const CALLS = {
  shutdown: 'POST /nodes/{node}/qemu/{vmid}/status/shutdown',
  reboot: 'POST /nodes/{node}/qemu/{vmid}/status/reboot',
  hibernate: 'POST /nodes/{node}/qemu/{vmid}/status/suspend',
  reset: 'POST /nodes/{node}/qemu/{vmid}/status/reset',
  stop: 'POST /nodes/{node}/qemu/{vmid}/status/stop',
} as const

/** Asks before people or programs in the guest are cut off. */
export function PowerDialog({ guest, ending, onClose }: { guest: Guest; ending: Ending | null; onClose: () => void }) {
  const { t } = useTranslation('guest')
  const [option, setOption] = useState(false)
  // The words stay while the dialog fades out.
  const [last, setLast] = useState<Ending>('shutdown')
  if (ending && ending !== last) setLast(ending)
  const now = ending ?? last
  const { node, vmid } = guest
  const extra = {
    shutdown: option ? { forceStop: true } : {},
    stop: option ? { 'overrule-shutdown': true } : {},
    hibernate: { todisk: true },
    reboot: {},
    reset: {},
  }[now]
  return (
    <ChangeDialog
      opened={ending !== null}
      onClose={() => {
        setOption(false)
        onClose()
      }}
      title={t('do.title', { what: t(`do.${now}`), name: guest.name })}
      operation={CALLS[now]}
      params={() => ({ node, vmid, ...extra })}
      submit={t(`do.${now}`)}
      danger={now === 'stop' || now === 'reset'}
      size="md"
    >
      <Stack gap="sm">
        <Text>{t(`ending.${now}`)}</Text>
        {(now === 'shutdown' || now === 'stop') && (
          <Checkbox
            checked={option}
            onChange={(event) => setOption(event.currentTarget.checked)}
            label={now === 'stop' ? t('ending.overrule') : t('ending.force')}
          />
        )}
      </Stack>
    </ChangeDialog>
  )
}
