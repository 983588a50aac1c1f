import { Button, Group, Stack, Text } from '@mantine/core'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useAllowed } from '@/api/permissions'
import { refresh, useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import { whenEnded } from '@/live/tasks'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { Answer } from '@/ui/Answer'
import { type Column, DataTable } from '@/ui/DataTable'
import { Facts, Section } from '@/ui/Section'
import { StatusDot } from '@/ui/StatusDot'
import { useDialog } from '@/ui/useDialog'

type Interface = Result<'GET /nodes/{node}/network'>[number]
const NONE: readonly Interface[] = []
const nameOf = (row: Interface): string => row.iface ?? ''

export default function NetworkTab({ node }: { node: string }) {
  const mayLook = useAllowed(`/nodes/${node}`, 'Sys.Audit')
  return (
    <Stack>
      {mayLook && <Nat node={node} />}
      <Interfaces node={node} />
    </Stack>
  )
}

function useColumns(): Column<Interface>[] {
  const { t } = useTranslation(['node', 'common'])
  return useMemo(
    () => [
      { id: 'iface', header: t('network.iface'), value: nameOf, width: 110, required: true, mobile: 'title' },
      { id: 'type', header: t('network.type'), value: (row) => row.type, width: 90, filter: 'options', mobile: 'meta' },
      {
        id: 'active',
        header: t('network.state'),
        value: (row) => (row.active === 1 ? t('network.up') : t('network.down')),
        cell: (row) => (
          <StatusDot
            status={row.active === 1 ? 'online' : 'stopped'}
            label={row.active === 1 ? t('network.up') : t('network.down')}
          />
        ),
        width: 120,
        mobile: 'side',
      },
      {
        id: 'addresses',
        header: t('network.addresses'),
        value: (row) => [row.cidr, row.cidr6].filter((each) => each !== undefined),
        width: 240,
        mobile: 'meta',
      },
      {
        id: 'gateway',
        header: t('network.gateway'),
        value: (row) => [row.gateway, row.gateway6].filter((each) => each !== undefined),
        width: 130,
      },
      {
        id: 'ports',
        header: t('network.ports'),
        value: (row) => row.bridge_ports ?? row.slaves,
        width: 120,
      },
      { id: 'mtu', header: t('network.mtu'), value: (row) => row.mtu, width: 70, align: 'right' },
      {
        id: 'autostart',
        header: t('network.autostart'),
        value: (row) => (row.autostart === 1 ? t('common:yes') : t('common:no')),
        width: 90,
        optional: true,
      },
      { id: 'comments', header: t('network.comment'), value: (row) => row.comments?.trim(), width: 160 },
    ],
    [t],
  )
}

function Interfaces({ node }: { node: string }) {
  const { t } = useTranslation('node')
  const query = useApi('GET /nodes/{node}/network', { node }, { staleTime: 0 })
  const columns = useColumns()
  return (
    <Section title={t('network.list')} help={t('network.readOnly')}>
      <DataTable
        id="interfaces"
        label={t('network.list')}
        columns={columns}
        rows={query.data ?? NONE}
        rowKey={nameOf}
        rowName={nameOf}
        loading={query.isPending}
        error={query.error}
        onRetry={() => void query.refetch()}
        empty={{ title: t('network.emptyTitle') }}
        maxHeight={560}
      />
    </Section>
  )
}

/** A task that makes or unmakes a bridge tells of it by its end alone. */
function readAgain(upid: unknown): void {
  if (typeof upid !== 'string') return
  void whenEnded(upid).then(() => Promise.all([refresh('GET /nodes/{node}/nat'), refresh('GET /nodes/{node}/network')]))
}

function Nat({ node }: { node: string }) {
  const { t } = useTranslation('node')
  const query = useApi('GET /nodes/{node}/nat', { node }, { staleTime: 0 })
  const may = useAllowed(`/nodes/${node}`, 'Sys.Modify')
  const create = useDialog<true>()
  const remove = useDialog<true>()
  return (
    <Section title={t('network.nat')} help={t('network.natHelp')}>
      <Answer query={query}>
        {(nat) => (
          <>
            {nat.bridge ? (
              <Facts
                facts={[
                  [t('network.bridge'), nat.bridge],
                  [t('network.address'), nat.address],
                  [
                    t('network.state'),
                    <StatusDot
                      key="s"
                      status={nat.active === 1 ? 'OK' : 'paused'}
                      label={nat.active === 1 ? t('network.natActive') : t('network.natBroken')}
                    />,
                  ],
                ]}
              />
            ) : (
              <Text size="sm">{t('network.natNone')}</Text>
            )}
            {may && (
              <Group>
                {!nat.bridge || nat.active !== 1 ? (
                  <Button variant={nat.bridge ? 'default' : 'filled'} onClick={() => create.open(true)}>
                    {t('network.create')}
                  </Button>
                ) : null}
                {nat.bridge && (
                  <Button variant="default" c="var(--corral-bad)" onClick={() => remove.open(true)}>
                    {t('network.remove')}
                  </Button>
                )}
              </Group>
            )}
          </>
        )}
      </Answer>
      <OperationDialog
        opened={create.opened}
        onClose={create.close}
        title={t('network.createTitle')}
        operation="POST /nodes/{node}/nat"
        fixed={{ node }}
        submit={t('network.create')}
        onDone={readAgain}
      />
      <ChangeDialog
        opened={remove.opened}
        onClose={remove.close}
        title={t('network.removeTitle')}
        operation="DELETE /nodes/{node}/nat"
        params={() => ({ node })}
        submit={t('network.remove')}
        danger
        size="md"
        onDone={readAgain}
      >
        <Text>{t('network.removeText')}</Text>
      </ChangeDialog>
    </Section>
  )
}
