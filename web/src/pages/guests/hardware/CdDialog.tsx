import { Radio, Select, Stack } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ConfigDialog, type DialogProps } from '@/pages/guests/hardware/ConfigDialog'
import { useVolumes } from '@/pages/guests/hardware/choices'
import { BUSES, type Device, freeIndex, type PendingRow, volumeOf } from '@/pages/guests/hardware/devices'
import { bytes } from '@/ui/format'

type Medium = 'iso' | 'none' | 'cdrom'

/** Another medium for a CD drive, or a drive. */
export function CdDialog({
  guest,
  device,
  rows,
  onClose,
}: DialogProps & { device?: Device; rows: readonly PendingRow[] }) {
  const { t } = useTranslation('guest')
  const before = device ? volumeOf(device.next[device.key] ?? '') : ''
  const [medium, setMedium] = useState<Medium>(before === 'none' || before === 'cdrom' ? (before as Medium) : 'iso')
  const [image, setImage] = useState<string | null>(before.includes(':') ? before : null)
  const images = useVolumes(guest.node, 'iso')
  function change() {
    if (medium === 'iso' && !image) throw new Error(t('cd.choose'))
    const place = device?.key ?? freePlace(rows)
    if (!place) throw new Error(t('disk.busFull'))
    return { [place]: `${medium === 'iso' ? image : medium},media=cdrom` }
  }
  return (
    <ConfigDialog
      guest={guest}
      title={device ? t('cd.change', { name: device.key }) : t('add.cdrom')}
      submit={device ? undefined : t('add.do')}
      change={change}
      onClose={onClose}
    >
      <Stack gap="sm">
        <Radio.Group label={t('cd.medium')} value={medium} onChange={(value) => setMedium(value as Medium)}>
          <Stack gap="xs" mt={6}>
            <Radio value="iso" label={t('cd.iso')} />
            <Radio value="none" label={t('cd.none')} />
            <Radio value="cdrom" label={t('cd.physical')} />
          </Stack>
        </Radio.Group>
        {medium === 'iso' && (
          <Select
            label={t('cd.image')}
            data={images.map(({ volid, size }) => ({ value: volid, label: `${volid} (${bytes(size)})` }))}
            value={image}
            onChange={setImage}
            searchable
            nothingFoundMessage={t('cd.noImage')}
          />
        )}
      </Stack>
    </ConfigDialog>
  )
}

function freePlace(rows: readonly PendingRow[]): string | undefined {
  if (!rows.some(({ key }) => key === 'ide2')) return 'ide2'
  for (const bus of ['ide', 'sata', 'scsi'] as const) {
    const index = freeIndex(rows, bus, BUSES[bus])
    if (index !== undefined) return `${bus}${index}`
  }
  return undefined
}
