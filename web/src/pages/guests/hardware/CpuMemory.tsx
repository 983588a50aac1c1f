import { Autocomplete, Group, NumberInput, SimpleGrid, Stack, Switch, Text } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { ConfigDialog, type DialogProps } from '@/pages/guests/hardware/ConfigDialog'
import type { Device } from '@/pages/guests/hardware/devices'
import { changes } from '@/pages/guests/hardware/sizes'
import { partOf, withValues } from '@/pages/guests/props'

type Props = DialogProps & { device: Device }

export function MemoryDialog({ guest, device, onClose }: Props) {
  const { t } = useTranslation('guest')
  const before = device.next
  const [size, setSize] = useState<number | string>(Number(partOf(before.memory ?? '512', 'current', 'current') ?? 512))
  const [ballooning, setBallooning] = useState(before.balloon !== '0')
  const [least, setLeast] = useState<number | string>(
    before.balloon && before.balloon !== '0' ? Number(before.balloon) : '',
  )
  return (
    <ConfigDialog
      guest={guest}
      title={t('hw.edit', { name: t('hw.kind.memory') })}
      change={() =>
        changes(before, {
          memory: String(size),
          balloon: ballooning ? String(least) : '0',
        })
      }
      onClose={onClose}
    >
      <Stack gap="sm">
        <NumberInput
          label={t('size.memory')}
          value={size}
          onChange={setSize}
          min={16}
          max={4194304}
          step={256}
          suffix=" MiB"
          thousandSeparator=" "
          data-autofocus
        />
        <Switch
          label={t('size.ballooning')}
          description={t('size.ballooningHelp')}
          checked={ballooning}
          onChange={(event) => setBallooning(event.currentTarget.checked)}
        />
        {ballooning && (
          <NumberInput
            label={t('size.least')}
            placeholder={t('size.leastDefault')}
            value={least}
            onChange={setLeast}
            min={16}
            max={Number(size) || undefined}
            step={256}
            suffix=" MiB"
          />
        )}
      </Stack>
    </ConfigDialog>
  )
}

export function CpuDialog({ guest, device, onClose }: Props) {
  const { t } = useTranslation('guest')
  const before = device.next
  const { node } = guest
  const [sockets, setSockets] = useState<number | string>(Number(before.sockets ?? 1))
  const [cores, setCores] = useState<number | string>(Number(before.cores ?? 1))
  const [type, setType] = useState(partOf(before.cpu ?? '', 'cputype', 'cputype') ?? '')
  const [limit, setLimit] = useState<number | string>(before.cpulimit ? Number(before.cpulimit) : '')
  const [numa, setNuma] = useState(before.numa === '1')
  const known = useApi('GET /nodes/{node}/capabilities/qemu/cpu', { node }).data ?? []
  return (
    <ConfigDialog
      guest={guest}
      title={t('hw.edit', { name: t('hw.kind.cpu') })}
      change={() =>
        changes(before, {
          sockets: String(sockets),
          cores: String(cores),
          cpu: withValues(before.cpu ?? '', { cputype: type }, 'cputype'),
          cpulimit: String(limit),
          numa: numa ? '1' : before.numa === undefined ? '' : '0',
        })
      }
      onClose={onClose}
    >
      <Stack gap="sm">
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <NumberInput label={t('size.cores')} value={cores} onChange={setCores} min={1} max={128} data-autofocus />
          <NumberInput label={t('size.sockets')} value={sockets} onChange={setSockets} min={1} max={4} />
        </SimpleGrid>
        <Group>
          <Text size="sm" className="numeric">
            {t('hw.cores', { count: (Number(sockets) || 1) * (Number(cores) || 1) })}
          </Text>
        </Group>
        <Autocomplete
          label={t('size.type')}
          placeholder={t('hw.cpuDefault')}
          data={[...new Set(known.map(({ name }) => name))]}
          value={type}
          onChange={setType}
        />
        <NumberInput
          label={t('size.limit')}
          description={t('size.limitHelp')}
          placeholder={t('nic.unlimited')}
          value={limit}
          onChange={setLimit}
          min={0}
          max={128}
          decimalScale={2}
        />
        <Switch label="NUMA" checked={numa} onChange={(event) => setNuma(event.currentTarget.checked)} />
      </Stack>
    </ConfigDialog>
  )
}
