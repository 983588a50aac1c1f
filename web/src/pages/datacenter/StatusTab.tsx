import { Alert, SimpleGrid, Stack } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useApi } from '@/api/query'
import { useGuests, useNodes, useStorages } from '@/live/inventory'
import { Answer } from '@/ui/Answer'
import { type Column, DataTable } from '@/ui/DataTable'
import { bytes } from '@/ui/format'
import { Meter } from '@/ui/Meter'
import { Facts, Section } from '@/ui/Section'
import { StatusDot } from '@/ui/StatusDot'

type Member = Result<'GET /cluster/status'>[number]

/** The cluster and its nodes. */
export default function StatusTab() {
  const query = useApi('GET /cluster/status', {})
  return (
    <Answer query={query} needs="Sys.Audit (/)">
      {(members) => (
        <Stack>
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <Cluster members={members} />
            <WhatThereIs />
          </SimpleGrid>
          <Nodes members={members.filter((each) => each.type === 'node')} />
        </Stack>
      )}
    </Answer>
  )
}

function Cluster({ members }: { members: readonly Member[] }) {
  const { t } = useTranslation(['datacenter', 'common'])
  const cluster = members.find((each) => each.type === 'cluster')
  return (
    <Section title={t('status.cluster')}>
      {cluster ? (
        <Facts
          facts={[
            [t('status.name'), cluster.name],
            [t('status.nodes'), cluster.nodes],
            [
              t('status.quorate'),
              <StatusDot
                key="q"
                status={cluster.quorate === 1 ? 'online' : 'error'}
                label={cluster.quorate === 1 ? t('status.quorateYes') : t('status.quorateNo')}
              />,
            ],
          ]}
        />
      ) : (
        <Alert variant="light">{t('status.alone')}</Alert>
      )}
    </Section>
  )
}

const sum = (values: readonly number[]): number => values.reduce((all, each) => all + each, 0)

function WhatThereIs() {
  const { t } = useTranslation(['datacenter', 'common'])
  const nodes = useNodes()
  const guests = useGuests()
  const storages = new Set(useStorages().map((each) => each.storage)).size
  const running = guests.filter((guest) => guest.status === 'running').length
  const cpus = sum(nodes.map((node) => node.maxcpu))
  const busy = sum(nodes.map((node) => node.cpu * node.maxcpu))
  const [used, total] = [sum(nodes.map((node) => node.mem)), sum(nodes.map((node) => node.maxmem))]
  return (
    <Section title={t('status.inventory')}>
      <Facts
        facts={[
          [t('status.guests'), t('status.runningOf', { running, total: guests.length })],
          [t('status.storages'), storages],
        ]}
      />
      {cpus > 0 && (
        <Meter
          label={t('status.cpu')}
          share={busy / cpus}
          text={t('status.usedOf', { used: busy.toFixed(1), total: cpus })}
        />
      )}
      {total > 0 && (
        <Meter
          label={t('status.memory')}
          share={used / total}
          text={t('status.usedOf', { used: bytes(used), total: bytes(total) })}
        />
      )}
    </Section>
  )
}

function Nodes({ members }: { members: readonly Member[] }) {
  const { t } = useTranslation(['datacenter', 'common'])
  const navigate = useNavigate()
  const columns = useMemo<Column<Member>[]>(
    () => [
      {
        id: 'name',
        header: t('status.node'),
        value: (row) => row.name,
        cell: (row) => (row.local === 1 ? `${row.name} (${t('status.here')})` : row.name),
        width: 200,
        required: true,
        mobile: 'title',
      },
      {
        id: 'online',
        header: t('status.state'),
        value: (row) => (row.online === 1 ? t('common:online') : t('common:offline')),
        cell: (row) =>
          row.online === 1 ? (
            <StatusDot status="online" label={t('common:online')} />
          ) : (
            <StatusDot status="offline" label={t('common:offline')} />
          ),
        width: 120,
        mobile: 'side',
      },
      { id: 'ip', header: t('status.address'), value: (row) => row.ip, width: 180, mobile: 'meta' },
    ],
    [t],
  )
  return (
    <DataTable
      id="cluster-nodes"
      label={t('status.nodes')}
      columns={columns}
      rows={members}
      rowKey={(row) => row.id}
      rowName={(row) => row.name}
      onOpen={(row) => void navigate({ to: '/nodes/$node', params: { node: row.name } })}
      empty={{ title: t('common:none') }}
      maxHeight={400}
      stateIn="memory"
      plain
    />
  )
}
