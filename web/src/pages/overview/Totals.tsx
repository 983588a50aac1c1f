import { SimpleGrid, Stack, Text } from '@mantine/core'
import { useQueries } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { call } from '@/api/client'
import type { NodeRow } from '@/live/types'
import { added, type GuestCount, type Totals as Sums } from '@/pages/overview/glance'
import styles from '@/pages/overview/Overview.module.css'
import { To } from '@/pages/overview/Parts'
import { Sparkline } from '@/pages/overview/Sparkline'
import { bytes, number, percent } from '@/ui/format'

/** Nodes whose history is read for the trend; of more than that it would cost more than it tells. */
const MOST = 16

function useTrend(nodes: readonly NodeRow[]) {
  const asked = nodes.length > MOST ? [] : nodes.filter(({ status, maxcpu }) => status === 'online' && maxcpu > 0)
  return useQueries({
    queries: asked.map(({ node }) => {
      const params = { node, timeframe: 'hour' as const }
      return {
        queryKey: ['GET /nodes/{node}/rrddata', params],
        queryFn: () => call('GET /nodes/{node}/rrddata', params),
        retry: false,
      }
    }),
    combine: (answers) => {
      const series = answers.map(({ data }) => (data ?? []) as Record<string, unknown>[])
      const num = (value: unknown) => (typeof value === 'number' ? value : undefined)
      return {
        cpu: added(series, ({ cpu, maxcpu }) => (num(cpu) === undefined ? undefined : Number(cpu) * Number(maxcpu))),
        mem: added(series, ({ memused, mem }) => num(memused) ?? num(mem)),
      }
    },
  })
}

export function Totals({ nodes, sums, guests }: { nodes: readonly NodeRow[]; sums: Sums; guests: GuestCount }) {
  const { t } = useTranslation('overview')
  const trend = useTrend(nodes)
  const share = (part: number, whole: number) => percent(whole > 0 ? part / whole : 0)
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm">
      <Card title={t('guests')} figure={number(guests.running)} note={t('runningOf', { count: guests.total })}>
        <GuestLinks guests={guests} />
      </Card>
      {/* Figures that the user may not see are not there. */}
      {sums.maxcpu > 0 && (
        <Card
          title={t('cpu')}
          figure={share(sums.cpu, sums.maxcpu)}
          note={t('cpuOf', { used: number(sums.cpu, 1), count: sums.maxcpu })}
        >
          <Sparkline values={trend.cpu} max={sums.maxcpu} />
        </Card>
      )}
      {sums.maxmem > 0 && (
        <Card
          title={t('memory')}
          figure={share(sums.mem, sums.maxmem)}
          note={t('of', { used: bytes(sums.mem), total: bytes(sums.maxmem) })}
        >
          <Sparkline values={trend.mem} max={sums.maxmem} />
        </Card>
      )}
      {sums.maxdisk > 0 && (
        <Card
          title={t('storage')}
          figure={share(sums.disk, sums.maxdisk)}
          note={t('of', { used: bytes(sums.disk), total: bytes(sums.maxdisk) })}
        />
      )}
    </SimpleGrid>
  )
}

function GuestLinks({ guests }: { guests: GuestCount }) {
  const { t } = useTranslation('overview')
  const parts = (['stopped', 'paused', 'templates'] as const).filter((kind) => guests[kind] > 0)
  if (guests.total === 0) return null
  return (
    <Text size="xs" c="dimmed" className="numeric">
      {parts.map((kind) => t(`counts.${kind}`, { count: guests[kind] })).join(' · ')}{' '}
      <To to="/guests">{t('showAll')}</To>
    </Text>
  )
}

function Card(props: { title: string; figure: string; note: string; children?: ReactNode }) {
  return (
    <div className={styles.card}>
      <Stack gap={4} h="100%">
        <Text size="sm" fw={500}>
          {props.title}
        </Text>
        <div className={`${styles.figure} numeric`}>{props.figure}</div>
        <Text size="xs" c="dimmed" className="numeric">
          {props.note}
        </Text>
        {props.children}
      </Stack>
    </div>
  )
}
