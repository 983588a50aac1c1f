import { Autocomplete, Checkbox, NumberInput, Select, SimpleGrid, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ConfigDialog, type DialogProps } from '@/pages/guests/hardware/ConfigDialog'
import { useBridgeChoices } from '@/pages/guests/hardware/choices'
import { type Device, freeIndex, type Nic, nicOf, nicText, type PendingRow } from '@/pages/guests/hardware/devices'

const MODELS = ['virtio', 'e1000', 'e1000e', 'rtl8139', 'vmxnet3']

/** A network device, there or to be. */
export function NicDialog({
  guest,
  device,
  rows,
  onClose,
}: DialogProps & { device?: Device; rows: readonly PendingRow[] }) {
  const { t } = useTranslation('guest')
  const before = device ? (device.next[device.key] ?? device.now[device.key] ?? '') : ''
  const bridges = useBridgeChoices(guest.node)
  const [nic, setNic] = useState<Nic>(() => nicOf(before))
  const set = (change: Partial<Nic>) => setNic((all) => ({ ...all, ...change }))
  const number = (value: number | string) => (value === '' ? undefined : String(value))
  return (
    <ConfigDialog
      guest={guest}
      title={device ? t('nic.edit', { name: device.key }) : t('add.net')}
      submit={device ? undefined : t('add.do')}
      change={() => ({ [device?.key ?? `net${freeIndex(rows, 'net', 32) ?? 0}`]: nicText(nic, before) })}
      onClose={onClose}
    >
      <Stack gap="sm">
        <Autocomplete
          label={t('nic.bridge')}
          description={nic.bridge ? undefined : t('nic.noBridge')}
          data={bridges.map(({ value }) => value)}
          value={nic.bridge ?? ''}
          onChange={(value) => set({ bridge: value.trim() || undefined })}
          data-autofocus
        />
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          <Select
            label={t('nic.model')}
            data={MODELS.includes(nic.model) ? MODELS : [nic.model, ...MODELS]}
            value={nic.model}
            onChange={(value) => set({ model: value ?? 'virtio' })}
            allowDeselect={false}
          />
          <TextInput
            label={t('nic.mac')}
            placeholder={t('nic.macAuto')}
            value={nic.mac ?? ''}
            onChange={(event) => set({ mac: event.currentTarget.value.trim() || undefined })}
            classNames={{ input: 'mono' }}
          />
          <NumberInput
            label={t('nic.tag')}
            placeholder={t('nic.untagged')}
            value={nic.tag ?? ''}
            onChange={(value) => set({ tag: number(value) })}
            min={1}
            max={4094}
          />
          <NumberInput
            label={t('nic.rate')}
            placeholder={t('nic.unlimited')}
            value={nic.rate ?? ''}
            onChange={(value) => set({ rate: number(value) })}
            min={0}
            decimalScale={3}
          />
          <NumberInput
            label="MTU"
            placeholder={t('default')}
            value={nic.mtu ?? ''}
            onChange={(value) => set({ mtu: number(value) })}
            min={1}
            max={65520}
          />
          <NumberInput
            label={t('nic.queues')}
            placeholder={t('default')}
            value={nic.queues ?? ''}
            onChange={(value) => set({ queues: number(value) })}
            min={0}
            max={64}
          />
        </SimpleGrid>
        <Checkbox
          label={t('nic.firewall')}
          checked={nic.firewall}
          onChange={(event) => set({ firewall: event.currentTarget.checked })}
        />
        <Checkbox
          label={t('nic.down')}
          checked={nic.down}
          onChange={(event) => set({ down: event.currentTarget.checked })}
        />
      </Stack>
    </ConfigDialog>
  )
}
