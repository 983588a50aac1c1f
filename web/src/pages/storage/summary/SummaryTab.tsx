/** How full a storage is, how that came to be, and what it is. */
import { Badge, SegmentedControl, SimpleGrid, Stack } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useApi } from '@/api/query'
import type { Place } from '@/pages/storage/content/ContentTab'
import { contentsOf } from '@/pages/storage/content/volumes'
import { Answer } from '@/ui/Answer'
import { Chart } from '@/ui/Chart'
import { type Point, SPAN, type Timeframe } from '@/ui/chartData'
import { bytes, percent } from '@/ui/format'
import { Meter } from '@/ui/Meter'
import { Facts, Section } from '@/ui/Section'
import { StatusDot } from '@/ui/StatusDot'

type Status = Result<'GET /nodes/{node}/storage/{storage}/status'>

export function SummaryTab({ place, status }: { place: Place; status: Status }) {
  const { t } = useTranslation(['storage', 'common'])
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Section title={t('space')}>
          <Meter
            label={t('used')}
            share={status.total > 0 ? status.used / status.total : 0}
            text={t('usedOf', {
              used: bytes(status.used),
              total: bytes(status.total),
              share: percent(status.total > 0 ? status.used / status.total : 0),
            })}
          />
          <Facts
            facts={[
              [t('available'), bytes(status.avail)],
              [t('total'), bytes(status.total)],
            ]}
          />
        </Section>
        <Section title={t('about')}>
          <About place={place} status={status} />
        </Section>
      </SimpleGrid>
      <History place={place} total={status.total} />
    </Stack>
  )
}

function About({ place, status }: { place: Place; status: Status }) {
  const { t } = useTranslation(['storage', 'common'])
  const state = status.enabled !== 1 ? 'disabled' : status.active === 1 ? 'available' : 'inactive'
  return (
    <Facts
      facts={[
        [
          t('state'),
          <StatusDot key="state" status={state === 'available' ? 'online' : 'offline'} label={t(`states.${state}`)} />,
        ],
        [t('type'), status.type],
        [t('node'), place.node],
        [t('shared'), t(status.shared === 1 ? 'common:yes' : 'common:no')],
        [
          t('takes'),
          contentsOf(status.content).map((each) => (
            <Badge key={each} variant="default" mr={4} tt="none" fw={500}>
              {t(`contents.${each}`)}
            </Badge>
          )),
        ],
      ]}
    />
  )
}

function History({ place, total }: { place: Place; total: number }) {
  const { t } = useTranslation(['storage', 'common'])
  const [timeframe, setTimeframe] = useState<Timeframe>('day')
  const query = useApi('GET /nodes/{node}/storage/{storage}/rrddata', { ...place, timeframe })
  const now = Math.floor(query.dataUpdatedAt / 1000)
  return (
    <Section
      title={t('history')}
      actions={
        <SegmentedControl
          aria-label={t('timeframe')}
          value={timeframe}
          onChange={(value) => setTimeframe(value as Timeframe)}
          data={(['hour', 'day', 'week', 'month', 'year'] as const).map((value) => ({
            value,
            label: t(`timeframes.${value}`),
          }))}
          size="xs"
        />
      }
    >
      <Answer query={query} needs="Datastore.Audit">
        {(points) => (
          <Chart
            title={t('usedSpace')}
            points={points as Point[]}
            lines={[{ name: 'used', label: t('used') }]}
            format={bytes}
            max={total || undefined}
            binary
            range={[now - SPAN[timeframe], now]}
            height={200}
          />
        )}
      </Answer>
    </Section>
  )
}
