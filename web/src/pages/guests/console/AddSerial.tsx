import { Button, Group, Text } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import type { Guest } from '@/live/types'
import { consolesOf } from '@/pages/guests/console/consoles'
import { Overlay } from '@/pages/guests/console/Overlay'
import { useGuestMay } from '@/pages/guests/may'
import { ChangeDialog } from '@/plan/ChangeDialog'

/** A guest without serial port: what that means, and the way to one. */
export function AddSerial({ guest }: { guest: Guest }) {
  const { t } = useTranslation('console')
  const may = useGuestMay(guest.vmid)
  const [opened, setOpened] = useState(false)
  const { node, vmid } = guest
  const then = useApi('GET /nodes/{node}/qemu/{vmid}/config', { node, vmid })
  if (then.data && consolesOf(then.data).ports.length > 0) {
    return <Overlay title={t('serialPending')} text={t('serialPendingText')} />
  }
  return (
    <>
      <Overlay title={t('noSerial')} text={t('noSerialText')}>
        {may('VM.Config.HWType') && (
          <Group>
            <Button onClick={() => setOpened(true)}>{t('addSerial')}</Button>
          </Group>
        )}
      </Overlay>
      <ChangeDialog
        opened={opened}
        onClose={() => setOpened(false)}
        title={t('addSerialTitle', { name: guest.name })}
        operation="PUT /nodes/{node}/qemu/{vmid}/config"
        params={() => ({ node, vmid, serial0: 'socket' })}
        submit={t('addSerial')}
      >
        <Text>{guest.status === 'stopped' ? t('addSerialText') : t('addSerialRunning')}</Text>
      </ChangeDialog>
    </>
  )
}
