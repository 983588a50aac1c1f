import { Checkbox, Select, SimpleGrid, Stack } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { flag, partOf, withValues } from '@/pages/guests/props'

const CACHES = ['none', 'writethrough', 'writeback', 'unsafe', 'directsync']
const AIOS = ['io_uring', 'native', 'threads']

/** How a disk is attached. `text` is its property string, or a part of one. */
export function DiskOptions({ text, onChange, bus }: { text: string; onChange: (text: string) => void; bus: string }) {
  const { t } = useTranslation('guest')
  const set = (key: string, value: string | undefined) => onChange(withValues(text, { [key]: value }, 'file'))
  const check = (key: string, label: string) => (
    <Checkbox
      key={key}
      label={label}
      checked={flag(partOf(text, key))}
      onChange={(event) => set(key, event.currentTarget.checked ? '1' : undefined)}
    />
  )
  // On unless it is said otherwise.
  const uncheck = (key: string, label: string) => (
    <Checkbox
      key={key}
      label={label}
      checked={partOf(text, key) === undefined || flag(partOf(text, key))}
      onChange={(event) => set(key, event.currentTarget.checked ? undefined : '0')}
    />
  )
  return (
    <Stack gap="sm">
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <Select
          label={t('disk.cache')}
          placeholder={t('default')}
          data={CACHES}
          value={partOf(text, 'cache') ?? null}
          onChange={(value) => set('cache', value ?? undefined)}
          clearable
        />
        <Select
          label={t('disk.aio')}
          placeholder={t('default')}
          data={AIOS}
          value={partOf(text, 'aio') ?? null}
          onChange={(value) => set('aio', value ?? undefined)}
          clearable
        />
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
        <Checkbox
          label={t('disk.discard')}
          checked={partOf(text, 'discard') === 'on'}
          onChange={(event) => set('discard', event.currentTarget.checked ? 'on' : undefined)}
        />
        {bus !== 'virtio' && check('ssd', t('disk.ssd'))}
        {(bus === 'scsi' || bus === 'virtio') && check('iothread', t('disk.iothread'))}
        {(bus === 'scsi' || bus === 'virtio') && check('ro', t('disk.ro'))}
        {uncheck('backup', t('disk.backup'))}
        {uncheck('replicate', t('disk.replicate'))}
      </SimpleGrid>
    </Stack>
  )
}
