import { Group, SegmentedControl, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import type { Guest } from '@/live/types'
import { useLivePoints } from '@/pages/guests/summary/live'
import { Chart } from '@/ui/Chart'
import { joined, type Point, SPAN, TIMEFRAMES, type Timeframe } from '@/ui/chartData'
import { bytes, percent } from '@/ui/format'

const perSecond = (value: number): string => `${bytes(value)}/s`
const share = (value: number): string => percent(value, 1)

function usePoints(guest: Guest, timeframe: Timeframe): { points: Point[]; range: readonly [number, number] } {
  const { node, vmid } = guest
  const live = useLivePoints(vmid)
  const { data } = useApi(
    'GET /nodes/{node}/qemu/{vmid}/rrddata',
    { node, vmid, timeframe },
    // What is open goes on by events; what is opened again is read again.
    { staleTime: 0, refetchOnReconnect: false, enabled: guest.type === 'qemu' },
  )
  return useMemo(() => {
    const history = (data ?? []) as Point[]
    const points = joined(history, live)
    const now = Math.max(Date.now() / 1000, points.at(-1)?.time ?? 0)
    const from = now - SPAN[timeframe]
    return { points: points.filter(({ time }) => time >= from), range: [from, now] as const }
  }, [data, live, timeframe])
}

/** What the guest has done and does, side by side. */
export function Charts({ guest }: { guest: Guest }) {
  const { t } = useTranslation('guest')
  const [timeframe, setTimeframe] = useState<Timeframe>('hour')
  const { points, range } = usePoints(guest, timeframe)
  const common = { points, range, sync: `guest-${guest.vmid}` }
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={2} size="h3">
          {t('chart.title')}
        </Title>
        <SegmentedControl
          size="xs"
          aria-label={t('chart.timeframe')}
          value={timeframe}
          onChange={(value) => setTimeframe(value as Timeframe)}
          data={TIMEFRAMES.map((value) => ({ value, label: t(`chart.${value}`) }))}
        />
      </Group>
      {guest.status !== 'running' && (
        <Text size="sm" c="dimmed">
          {t('chart.stopped')}
        </Text>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
        <Chart
          {...common}
          title={t('chart.cpu', { count: guest.maxcpu })}
          lines={[{ name: 'cpu', label: t('chart.used') }]}
          format={share}
          max={1}
        />
        <Chart
          {...common}
          title={t('chart.memory')}
          lines={[{ name: 'mem', label: t('chart.used') }]}
          format={bytes}
          binary
          max={guest.maxmem || undefined}
        />
        <Chart
          {...common}
          title={t('chart.network')}
          lines={[
            { name: 'netin', label: t('chart.received') },
            { name: 'netout', label: t('chart.sent') },
          ]}
          format={perSecond}
          binary
        />
        <Chart
          {...common}
          title={t('chart.disk')}
          lines={[
            { name: 'diskread', label: t('chart.read') },
            { name: 'diskwrite', label: t('chart.written') },
          ]}
          format={perSecond}
          binary
        />
      </SimpleGrid>
    </Stack>
  )
}
