import { Group, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { AddMenu } from '@/pages/guests/hardware/AddMenu'
import { DeviceRow } from '@/pages/guests/hardware/DeviceRow'
import { devicesOf, type PendingRow } from '@/pages/guests/hardware/devices'
import classes from '@/pages/guests/hardware/Hardware.module.css'
import { type Asked, HardwareDialogs } from '@/pages/guests/hardware/HardwareDialogs'
import { PendingNotice } from '@/pages/guests/hardware/PendingNotice'
import { useGuestMay } from '@/pages/guests/may'
import type { TabProps } from '@/pages/guests/tabs'
import { Answer } from '@/ui/Answer'
import { useDialog } from '@/ui/useDialog'

export default function HardwareTab({ guest }: TabProps) {
  const { t } = useTranslation('guest')
  const { node, vmid } = guest
  const pending = useApi('GET /nodes/{node}/qemu/{vmid}/pending', { node, vmid })
  const may = useGuestMay(vmid)
  const dialog = useDialog<Asked>()
  return (
    <Answer query={pending} needs="VM.Audit">
      {(answer) => {
        const rows = answer as PendingRow[]
        return (
          <Stack gap="sm">
            <PendingNotice guest={guest} rows={rows} may={may} />
            <Group>
              <AddMenu rows={rows} may={may} onAsk={dialog.open} />
            </Group>
            <ul className={classes.list} aria-label={t('tabs.hardware')}>
              {devicesOf(rows).map((device) => (
                <DeviceRow key={device.key} guest={guest} device={device} may={may} onAsk={dialog.open} />
              ))}
            </ul>
            {dialog.opened && dialog.value && (
              <HardwareDialogs key={dialog.key} guest={guest} rows={rows} asked={dialog.value} onClose={dialog.close} />
            )}
          </Stack>
        )
      }}
    </Answer>
  )
}
