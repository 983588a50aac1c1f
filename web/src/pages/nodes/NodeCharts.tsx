import { Group, SegmentedControl, SimpleGrid, Stack, Title } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { useLiveNode } from '@/pages/nodes/live'
import { Chart } from '@/ui/Chart'
import { joined, type Point, SPAN, TIMEFRAMES, type Timeframe } from '@/ui/chartData'
import { bytes, number, percent } from '@/ui/format'

const share = (value: number): string => percent(value, 1)
const hundredth = (value: number): string => percent(value / 100, 1)
const perSecond = (value: number): string => `${bytes(value)}/s`
const plain = (value: number): string => number(value, 2)

function usePoints(node: string, timeframe: Timeframe): { points: Point[]; range: readonly [number, number] } {
  const live = useLiveNode(node)
  const { data } = useApi('GET /nodes/{node}/rrddata', { node, timeframe }, { staleTime: 0, refetchOnReconnect: false })
  return useMemo(() => {
    const points = joined((data ?? []) as Point[], live)
    const now = Math.max(Date.now() / 1000, points.at(-1)?.time ?? 0)
    const from = now - SPAN[timeframe]
    return { points: points.filter(({ time }) => time >= from), range: [from, now] as const }
  }, [data, live, timeframe])
}

/** The node's history, going on live. */
export function NodeCharts({ node, cpus }: { node: string; cpus: number }) {
  const { t } = useTranslation('node')
  const [timeframe, setTimeframe] = useState<Timeframe>('hour')
  const { points, range } = usePoints(node, timeframe)
  const common = { points, range, sync: `node-${node}` }
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
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
        <Chart
          {...common}
          title={`${t('chart.cpu')} (${cpus})`}
          lines={[
            { name: 'cpu', label: t('chart.used') },
            { name: 'iowait', label: t('chart.iowait') },
          ]}
          format={share}
          max={1}
        />
        <Chart
          {...common}
          title={t('chart.memory')}
          lines={[
            { name: 'memused', label: t('chart.used') },
            { name: 'memtotal', label: t('chart.total') },
          ]}
          format={bytes}
          binary
        />
        <Chart
          {...common}
          title={t('chart.load')}
          lines={[{ name: 'loadavg', label: t('chart.average') }]}
          format={plain}
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
          title={t('chart.pressure')}
          lines={[
            { name: 'pressurecpusome', label: t('chart.pressureCpu') },
            { name: 'pressureiosome', label: t('chart.pressureIo') },
            { name: 'pressurememorysome', label: t('chart.pressureMemory') },
          ]}
          format={hundredth}
          max={100}
        />
        <Chart
          {...common}
          title={t('chart.root')}
          lines={[
            { name: 'rootused', label: t('chart.used') },
            { name: 'roottotal', label: t('chart.total') },
          ]}
          format={bytes}
          binary
        />
      </SimpleGrid>
    </Stack>
  )
}
