import { Button, SimpleGrid, Stack, Text } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useAllowed } from '@/api/permissions'
import { useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import { useNode } from '@/live/inventory'
import { NodeCharts } from '@/pages/nodes/NodeCharts'
import { Answer } from '@/ui/Answer'
import { bytes, duration, percent } from '@/ui/format'
import { Markdown } from '@/ui/Markdown'
import { Meter } from '@/ui/Meter'
import { Facts, Section } from '@/ui/Section'
import { useDialog } from '@/ui/useDialog'

type Status = Result<'GET /nodes/{node}/status'>

export default function SummaryTab({ node }: { node: string }) {
  const query = useApi('GET /nodes/{node}/status', { node }, { staleTime: 0 })
  return (
    <Answer query={query} needs={`Sys.Audit (/nodes/${node})`}>
      {(status) => (
        <Stack>
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <Now node={node} status={status} />
            <Machine node={node} status={status} />
          </SimpleGrid>
          <Notes node={node} />
          <NodeCharts node={node} cpus={status.cpuinfo.cpus} />
        </Stack>
      )}
    </Answer>
  )
}

const fraction = (used: number, total: number): number => (total > 0 ? used / total : 0)

/** The load: what the page read, and what events have told since. */
function Now({ node, status }: { node: string; status: Status }) {
  const { t } = useTranslation('node')
  const live = useNode(node)
  const cpu = live?.maxcpu ? live.cpu : status.cpu
  const used = live?.maxmem ? live.mem : status.memory.used
  const { memory, swap, rootfs } = status
  const of = (some: number, all: number) => t('summary.of', { used: bytes(some), total: bytes(all) })
  return (
    <Section title={t('summary.now')}>
      <Meter
        label={t('summary.cpu')}
        share={cpu}
        text={t('summary.cpuText', { share: percent(cpu, 1), count: status.cpuinfo.cpus })}
      />
      <Meter label={t('summary.memory')} share={fraction(used, memory.total)} text={of(used, memory.total)} />
      {swap.total > 0 && (
        <Meter label={t('summary.swap')} share={fraction(swap.used, swap.total)} text={of(swap.used, swap.total)} />
      )}
      <Meter
        label={t('summary.root')}
        share={fraction(rootfs.used, rootfs.total)}
        text={of(rootfs.used, rootfs.total)}
      />
      <Facts
        facts={[
          [
            t('summary.load'),
            <span key="load" title={t('summary.loadHelp')}>
              {status.loadavg.join(' · ')}
            </span>,
          ],
          [t('summary.wait'), percent(status.wait, 1)],
          swap.total === 0 && [t('summary.swap'), t('summary.noSwap')],
          status.ksm.shared ? [t('summary.ksm'), bytes(status.ksm.shared)] : undefined,
        ]}
      />
      <Pressure node={node} />
    </Section>
  )
}

const KINDS = [
  ['cpu', 'pressurecpusome'],
  ['io', 'pressureiosome'],
  ['memory', 'pressurememorysome'],
] as const

/** Pressure stall information, from the last minute that was measured. */
function Pressure({ node }: { node: string }) {
  const { t } = useTranslation('node')
  const history = useApi('GET /nodes/{node}/rrddata', { node, timeframe: 'hour' }).data
  const last = (history as Record<string, number | null>[] | undefined)?.findLast(
    (point) => typeof point.pressurecpusome === 'number',
  )
  if (!last) return null
  return (
    <Stack gap={4}>
      <Text size="sm" fw={600} title={t('summary.pressureHelp')}>
        {t('summary.pressure')}
      </Text>
      <Facts
        facts={KINDS.map(
          ([kind, name]) => [t(`summary.pressureOf.${kind}`), percent((last[name] ?? 0) / 100, 1)] as const,
        )}
      />
    </Stack>
  )
}

function Machine({ node, status }: { node: string; status: Status }) {
  const { t } = useTranslation('node')
  const version = useApi('GET /nodes/{node}/version', { node }).data as Record<string, string> | undefined
  const { cpuinfo } = status
  const kvm = cpuinfo.hvm === '1'
  const kernel = status['current-kernel']
  const up = useNode(node)?.uptime || status.uptime
  return (
    <Section title={t('summary.system')}>
      <Facts
        facts={[
          [t('summary.uptime'), duration(up)],
          [t('summary.model'), cpuinfo.model],
          [
            t('summary.cpu'),
            t('summary.topology', { count: cpuinfo.sockets, cores: cpuinfo.cores, cpus: cpuinfo.cpus }),
          ],
          [t('summary.kvm'), kvm ? t('summary.kvmYes') : t('summary.kvmNo')],
          [t('summary.kernel'), `${kernel.sysname} ${kernel.release} ${kernel.machine}`],
          version && [t('summary.version'), `Corral ${version.corral ?? ''}`],
          version && ['API', t('summary.compatible', { version: version.version ?? '' })],
        ]}
      />
    </Section>
  )
}

function Notes({ node }: { node: string }) {
  const { t } = useTranslation(['node', 'common'])
  const config = useApi('GET /nodes/{node}/config', { node }).data
  const may = useAllowed('/', 'Sys.Modify')
  const edit = useDialog<true>()
  if (!config || (!config.description && !may)) return null
  return (
    <Section
      title={t('summary.notes')}
      actions={
        may && (
          <Button
            size="compact-sm"
            variant="subtle"
            leftSection={<IconPencil size={14} />}
            aria-label={t('summary.editNotes')}
            onClick={() => edit.open(true)}
          >
            {t('common:edit')}
          </Button>
        )
      }
    >
      {config.description ? (
        <Markdown text={config.description} />
      ) : (
        <Text size="sm" c="dimmed">
          {t('summary.noNotes')}
        </Text>
      )}
      <OperationDialog
        opened={edit.opened}
        onClose={edit.close}
        title={t('summary.editNotes')}
        operation="PUT /nodes/{node}/config"
        fixed={{ node }}
        values={config}
        only={['description']}
        submit={t('common:save')}
      />
    </Section>
  )
}
