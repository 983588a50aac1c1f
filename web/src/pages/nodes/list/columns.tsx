import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { NodeEntry } from '@/pages/nodes/list/entries'
import type { Column } from '@/ui/DataTable'
import { bytes, duration, percent } from '@/ui/format'
import { StatusDot } from '@/ui/StatusDot'
import { UsageBar } from '@/ui/UsageBar'

const isOn = (node: NodeEntry): boolean => node.status === 'online'

function Share({ used, all, on }: { used: number; all: number; on: boolean }) {
  if (!on || all <= 0) return null
  return <UsageBar fraction={used / all} text={percent(used / all)} hint={`${bytes(used)} / ${bytes(all)}`} />
}

type T = ReturnType<typeof useTranslation<'lists'>>['t']

export function useNodeColumns(): readonly Column<NodeEntry>[] {
  const { t } = useTranslation('lists')
  return useMemo(() => [...state(t), ...usage(t)], [t])
}

const wordOf = (t: T, status: string): string =>
  status === 'online' || status === 'offline' ? t(`nodeStatus.${status}`) : t('nodeStatus.unknown')

const state = (t: T): Column<NodeEntry>[] => [
  {
    id: 'node',
    header: t('name'),
    value: ({ node }) => node,
    required: true,
    mobile: 'title',
    width: 160,
  },
  {
    id: 'status',
    header: t('status'),
    value: ({ status }) => status,
    label: (value) => wordOf(t, value),
    cell: ({ status }) => <StatusDot status={status} label={wordOf(t, status)} />,
    filter: 'options',
    mobile: 'side',
    width: 110,
    fixed: true,
  },
  {
    id: 'guests',
    header: t('guests'),
    value: ({ guests }) => guests,
    cell: ({ guests, running }) => t('runningOf', { running, guests }),
    align: 'right',
    mobile: 'meta',
    width: 150,
  },
]

const usage = (t: T): Column<NodeEntry>[] => [
  {
    id: 'cpu',
    header: 'CPU',
    value: (node) => (isOn(node) ? node.cpu : null),
    search: false,
    cell: (node) =>
      isOn(node) && (
        <UsageBar fraction={node.cpu} text={percent(node.cpu)} hint={`${percent(node.cpu, 1)} × ${node.maxcpu}`} />
      ),
    card: (node) => isOn(node) && `CPU ${percent(node.cpu)}`,
    mobile: 'meta',
  },
  { id: 'maxcpu', header: t('cpus'), value: ({ maxcpu }) => maxcpu, align: 'right', width: 70, optional: true },
  {
    id: 'mem',
    header: t('memory'),
    value: (node) => (isOn(node) && node.maxmem ? node.mem / node.maxmem : null),
    search: false,
    cell: (node) => <Share used={node.mem} all={node.maxmem} on={isOn(node)} />,
    card: (node) => isOn(node) && node.maxmem > 0 && `${t('memory')} ${percent(node.mem / node.maxmem)}`,
    mobile: 'meta',
  },
  {
    id: 'maxmem',
    header: t('memorySize'),
    value: ({ maxmem }) => maxmem,
    cell: ({ maxmem }) => (maxmem ? bytes(maxmem) : ''),
    align: 'right',
    width: 110,
  },
  {
    id: 'disk',
    header: t('rootDisk'),
    value: (node) => (isOn(node) && node.maxdisk ? node.disk / node.maxdisk : null),
    search: false,
    cell: (node) => <Share used={node.disk} all={node.maxdisk} on={isOn(node)} />,
  },
  {
    id: 'uptime',
    header: t('uptime'),
    value: (node) => (isOn(node) ? node.uptime : null),
    search: false,
    cell: (node) => (isOn(node) ? duration(node.uptime) : ''),
    align: 'right',
  },
]
