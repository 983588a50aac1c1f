import { Checkbox, Group, NumberInput, SegmentedControl, Select, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ConfigDialog, type DialogProps } from '@/pages/guests/hardware/ConfigDialog'
import { useStorageChoices, useVolumes } from '@/pages/guests/hardware/choices'
import { DiskOptions } from '@/pages/guests/hardware/DiskOptions'
import { BUSES, type Bus, type Device, freeIndex, type PendingRow, volumeOf } from '@/pages/guests/hardware/devices'
import { partOf, withValues } from '@/pages/guests/props'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { bytes } from '@/ui/format'

const BUS_NAMES = Object.keys(BUSES) as Bus[]

/** The bus of a drive, and the next free place on it. */
export function BusField({ rows, bus, onBus }: { rows: readonly PendingRow[]; bus: Bus; onBus: (bus: Bus) => void }) {
  const { t } = useTranslation('guest')
  const index = freeIndex(rows, bus, BUSES[bus])
  return (
    <Select
      label={t('disk.bus')}
      description={index === undefined ? t('disk.busFull') : t('disk.place', { name: `${bus}${index}` })}
      data={BUS_NAMES.map((value) => ({ value, label: t(`disk.buses.${value}`) }))}
      value={bus}
      onChange={(value) => onBus((value ?? 'scsi') as Bus)}
      allowDeselect={false}
    />
  )
}

export function AddDisk({ guest, rows, onClose }: DialogProps & { rows: readonly PendingRow[] }) {
  const { t } = useTranslation('guest')
  const [source, setSource] = useState<'new' | 'import'>('new')
  const [bus, setBus] = useState<Bus>('scsi')
  const [chosen, setStorage] = useState<string | null>(null)
  const [size, setSize] = useState<number | string>(32)
  const [image, setImage] = useState<string | null>(null)
  const [options, setOptions] = useState('')
  const storages = useStorageChoices(guest.node, 'images')
  const storage = chosen ?? storages[0]?.value ?? null
  const images = useVolumes(guest.node, 'import', source === 'import')
  const index = freeIndex(rows, bus, BUSES[bus])
  function change() {
    if (index === undefined) throw new Error(t('disk.busFull'))
    if (!storage) throw new Error(t('disk.noStorage'))
    if (source === 'import' && !image) throw new Error(t('disk.chooseImage'))
    const volume = source === 'import' ? `${storage}:0` : `${storage}:${size}`
    const text = withValues(volume, { 'import-from': source === 'import' ? (image ?? '') : undefined }, 'file')
    return { [`${bus}${index}`]: options ? `${text},${options}` : text }
  }
  return (
    <ConfigDialog guest={guest} title={t('disk.add')} submit={t('disk.add')} change={change} onClose={onClose}>
      <Stack gap="sm">
        <SegmentedControl
          aria-label={t('disk.source')}
          value={source}
          onChange={(value) => setSource(value as 'new' | 'import')}
          data={[
            { value: 'new', label: t('disk.new') },
            { value: 'import', label: t('disk.import') },
          ]}
        />
        <BusField rows={rows} bus={bus} onBus={setBus} />
        <Select
          label={t('disk.storage')}
          data={storages}
          value={storage}
          onChange={setStorage}
          nothingFoundMessage={t('disk.noStorage')}
          allowDeselect={false}
        />
        {source === 'new' ? (
          <NumberInput
            label={t('disk.size')}
            value={size}
            onChange={setSize}
            min={1}
            max={131072}
            suffix=" GiB"
            data-autofocus
          />
        ) : (
          <Select
            label={t('disk.image')}
            description={t('disk.imageHelp')}
            data={images.map(({ volid, size: length }) => ({ value: volid, label: `${volid} (${bytes(length)})` }))}
            value={image}
            onChange={setImage}
            searchable
            nothingFoundMessage={t('disk.noImage')}
          />
        )}
        <DiskOptions text={options} onChange={setOptions} bus={bus} />
      </Stack>
    </ConfigDialog>
  )
}

export function EditDisk({ guest, device, onClose }: DialogProps & { device: Device }) {
  const { t } = useTranslation('guest')
  const before = device.next[device.key] ?? device.now[device.key] ?? ''
  const [text, setText] = useState(before)
  return (
    <ConfigDialog
      guest={guest}
      title={t('disk.edit', { name: device.key })}
      change={() => ({ [device.key]: text })}
      onClose={onClose}
    >
      <Stack gap="sm">
        <Text size="sm" className="mono" style={{ overflowWrap: 'anywhere' }}>
          {volumeOf(before)}
        </Text>
        <DiskOptions text={text} onChange={setText} bus={device.key.replace(/\d+$/, '')} />
      </Stack>
    </ConfigDialog>
  )
}

export function ResizeDisk({ guest, device, onClose }: DialogProps & { device: Device }) {
  const { t } = useTranslation('guest')
  const [more, setMore] = useState<number | string>(8)
  const size = partOf(device.now[device.key] ?? '', 'size')
  const { node, vmid } = guest
  return (
    <ChangeDialog
      opened
      onClose={onClose}
      title={t('disk.resizeTitle', { name: device.key })}
      operation="PUT /nodes/{node}/qemu/{vmid}/resize"
      params={() => ({ node, vmid, disk: device.key, size: `+${more}G` })}
      submit={t('disk.resize')}
      size="md"
    >
      <Stack gap="sm">
        <NumberInput
          label={t('disk.grow')}
          description={size ? t('disk.sizeNow', { size }) : undefined}
          value={more}
          onChange={setMore}
          min={1}
          max={131072}
          suffix=" GiB"
          data-autofocus
        />
        <Text size="sm">{t('disk.resizeHelp')}</Text>
      </Stack>
    </ChangeDialog>
  )
}

/** Detach a disk, or delete one that is detached. */
export function RemoveDisk({ guest, device, onClose }: DialogProps & { device: Device }) {
  const { t } = useTranslation('guest')
  const unused = device.kind === 'unused'
  const [force, setForce] = useState(unused)
  const { node, vmid } = guest
  return (
    <ChangeDialog
      opened
      onClose={onClose}
      title={t(unused ? 'disk.deleteTitle' : 'disk.detachTitle', { name: device.key })}
      operation="PUT /nodes/{node}/qemu/{vmid}/unlink"
      params={() => ({ node, vmid, idlist: device.key, force })}
      submit={force ? t('disk.delete') : t('disk.detach')}
      danger={force}
      size="md"
    >
      <Stack gap="sm">
        <Text size="sm" className="mono" style={{ overflowWrap: 'anywhere' }}>
          {volumeOf(device.now[device.key] ?? '')}
        </Text>
        <Text size="sm">{unused ? t('disk.deleteText') : t('disk.detachText')}</Text>
        {!unused && (
          <Checkbox
            label={t('disk.alsoDelete')}
            checked={force}
            onChange={(event) => setForce(event.currentTarget.checked)}
          />
        )}
      </Stack>
    </ChangeDialog>
  )
}

export function AttachDisk({
  guest,
  device,
  rows,
  onClose,
}: DialogProps & { device: Device; rows: readonly PendingRow[] }) {
  const { t } = useTranslation('guest')
  const [bus, setBus] = useState<Bus>('scsi')
  const [options, setOptions] = useState('')
  const volume = volumeOf(device.now[device.key] ?? '')
  return (
    <ConfigDialog
      guest={guest}
      title={t('disk.attachTitle', { name: device.key })}
      submit={t('disk.attach')}
      change={() => {
        const index = freeIndex(rows, bus, BUSES[bus])
        if (index === undefined) throw new Error(t('disk.busFull'))
        return { [`${bus}${index}`]: options ? `${volume},${options}` : volume }
      }}
      onClose={onClose}
    >
      <Stack gap="sm">
        <Text size="sm" className="mono" style={{ overflowWrap: 'anywhere' }}>
          {volume}
        </Text>
        <BusField rows={rows} bus={bus} onBus={setBus} />
        <DiskOptions text={options} onChange={setOptions} bus={bus} />
      </Stack>
    </ConfigDialog>
  )
}

/** EFI variables, TPM state, the cloud-init drive: a storage is all that is asked for. */
export function AddStored({
  guest,
  rows,
  what,
  onClose,
}: DialogProps & { rows: readonly PendingRow[]; what: 'efi' | 'tpm' | 'cloudinit' }) {
  const { t } = useTranslation('guest')
  const [chosen, setStorage] = useState<string | null>(null)
  const [keys, setKeys] = useState(true)
  const storages = useStorageChoices(guest.node, 'images')
  const storage = chosen ?? storages[0]?.value
  function change() {
    if (!storage) throw new Error(t('disk.noStorage'))
    if (what === 'tpm') return { tpmstate0: `${storage}:1,version=v2.0` }
    if (what === 'efi') return { efidisk0: `${storage}:1,efitype=4m${keys ? ',pre-enrolled-keys=1' : ''}` }
    const bus = freeIndex(rows, 'ide', 4) === undefined ? 'sata' : 'ide'
    // The second drive of the first IDE bus is often the installation's CD: the last one is free more often.
    const index = bus === 'ide' && !rows.some(({ key }) => key === 'ide3') ? 3 : freeIndex(rows, bus, BUSES[bus])
    return { [`${bus}${index}`]: `${storage}:cloudinit` }
  }
  return (
    <ConfigDialog guest={guest} title={t(`add.${what}`)} submit={t('add.do')} change={change} onClose={onClose}>
      <Stack gap="sm">
        <Text size="sm">{t(`add.${what}Help`)}</Text>
        <Select
          label={t('disk.storage')}
          data={storages}
          value={storage ?? null}
          onChange={setStorage}
          allowDeselect={false}
        />
        {what === 'efi' && (
          <Group>
            <Checkbox
              label={t('add.enrolled')}
              checked={keys}
              onChange={(event) => setKeys(event.currentTarget.checked)}
            />
          </Group>
        )}
      </Stack>
    </ConfigDialog>
  )
}
