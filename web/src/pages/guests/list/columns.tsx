import { IconLock, IconTemplate } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Guest } from '@/live/types'
import { powerOf } from '@/pages/guests/status'
import type { Column } from '@/ui/DataTable'
import { bytes, duration, number, percent } from '@/ui/format'
import { StatusDot } from '@/ui/StatusDot'
import { Tags } from '@/ui/Tags'
import { UsageBar } from '@/ui/UsageBar'

const isOn = (guest: Guest): boolean => guest.status === 'running'
const fraction = (used: number, all: number): number => (all > 0 ? used / all : 0)

function Cpu({ guest }: { guest: Guest }) {
  if (!isOn(guest)) return null
  return (
    <UsageBar fraction={guest.cpu} text={percent(guest.cpu)} hint={`${percent(guest.cpu, 1)} × ${guest.maxcpu} CPU`} />
  )
}

function Memory({ guest }: { guest: Guest }) {
  if (!isOn(guest)) return null
  const part = fraction(guest.mem, guest.maxmem)
  return <UsageBar fraction={part} text={percent(part)} hint={`${bytes(guest.mem)} / ${bytes(guest.maxmem)}`} />
}

/** The columns of the guest list, in their order. */
export function useGuestColumns(): readonly Column<Guest>[] {
  const { t } = useTranslation('lists')
  return useMemo(() => [...identity(t), ...usage(t), ...belonging(t), ...traffic(t)], [t])
}

type T = ReturnType<typeof useTranslation<'lists'>>['t']

const identity = (t: T): Column<Guest>[] => [
  {
    id: 'status',
    header: t('status'),
    value: powerOf,
    label: (value) => t(`power.${value as ReturnType<typeof powerOf>}`),
    cell: (guest) => <StatusDot status={powerOf(guest)} label={t(`power.${powerOf(guest)}`)} />,
    width: 110,
    fixed: true,
    filter: 'options',
    mobile: 'side',
  },
  {
    id: 'vmid',
    header: 'ID',
    value: (guest) => guest.vmid,
    search: true,
    align: 'right',
    width: 72,
    fixed: true,
    mobile: 'meta',
  },
  {
    id: 'name',
    header: t('name'),
    value: (guest) => guest.name,
    cell: (guest) => (
      <>
        {guest.template && (
          <IconTemplate size={14} aria-label={t('template')} style={{ marginRight: 5, verticalAlign: -2 }} />
        )}
        {guest.name}
      </>
    ),
    width: 150,
    required: true,
    mobile: 'title',
  },
  { id: 'node', header: t('node'), value: (guest) => guest.node, width: 90, filter: 'options', mobile: 'meta' },
]

const usage = (t: T): Column<Guest>[] => [
  {
    id: 'cpu',
    header: 'CPU',
    value: (guest) => (isOn(guest) ? guest.cpu : null),
    search: false,
    cell: (guest) => <Cpu guest={guest} />,
    card: (guest) => isOn(guest) && `CPU ${percent(guest.cpu)}`,
    width: 100,
    mobile: 'meta',
  },
  {
    id: 'mem',
    header: t('memory'),
    value: (guest) => (isOn(guest) ? guest.mem : null),
    search: false,
    cell: (guest) => <Memory guest={guest} />,
    card: (guest) => bytes(guest.maxmem),
    width: 100,
    mobile: 'meta',
  },
  {
    id: 'disk',
    header: t('disk'),
    value: (guest) => guest.maxdisk,
    cell: (guest) => (guest.maxdisk ? bytes(guest.maxdisk) : ''),
    align: 'right',
    width: 86,
  },
  {
    id: 'uptime',
    header: t('uptime'),
    value: (guest) => (isOn(guest) ? guest.uptime : null),
    search: false,
    cell: (guest) => (isOn(guest) ? duration(guest.uptime) : ''),
    align: 'right',
    width: 104,
  },
  { id: 'maxcpu', header: t('cpus'), value: (guest) => guest.maxcpu, align: 'right', width: 70, optional: true },
  {
    id: 'maxmem',
    header: t('memorySize'),
    value: (guest) => guest.maxmem,
    cell: (guest) => bytes(guest.maxmem),
    align: 'right',
    width: 100,
    optional: true,
  },
]

const belonging = (t: T): Column<Guest>[] => [
  {
    id: 'tag',
    header: t('tags'),
    value: (guest) => guest.tags,
    cell: (guest) => <Tags names={guest.tags} />,
    width: 110,
    filter: 'options',
  },
  { id: 'pool', header: t('pool'), value: (guest) => guest.pool, width: 84, filter: 'options' },
  {
    id: 'lock',
    header: t('lock'),
    value: (guest) => guest.lock,
    cell: (guest) =>
      guest.lock && (
        <>
          <IconLock size={14} aria-hidden style={{ marginRight: 4, verticalAlign: -2 }} />
          {guest.lock}
        </>
      ),
    width: 90,
    filter: 'options',
    optional: true,
  },
  { id: 'type', header: t('type'), value: (guest) => guest.type, width: 80, filter: 'options', optional: true },
  {
    id: 'template',
    header: t('template'),
    value: (guest) => String(guest.template),
    label: (value) => (value === 'true' ? t('isTemplate') : t('isMachine')),
    cell: (guest) => (guest.template ? t('isTemplate') : ''),
    width: 90,
    filter: 'options',
    optional: true,
  },
]

const traffic = (t: T): Column<Guest>[] =>
  (['netin', 'netout', 'diskread', 'diskwrite'] as const).map((id) => ({
    id,
    header: t(id),
    value: (guest) => guest[id],
    cell: (guest) => (guest[id] > 0 ? bytes(guest[id]) : number(0)),
    align: 'right',
    width: 100,
    optional: true,
  }))
