import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { TaskInfo } from '@/live/types'
import { AGES, type Age, STATES, type State, stateOf } from '@/pages/tasks/list/entries'
import type { Column } from '@/ui/DataTable'
import { duration, moment, percent } from '@/ui/format'
import { StatusDot } from '@/ui/StatusDot'

type T = ReturnType<typeof useTranslation<'lists'>>['t']

const TONE: Record<State, string> = { running: 'busy', ok: 'OK', warning: 'paused', error: 'error' }

/** In words: how it ended, or how far it is. */
function wordOf(t: T, task: TaskInfo): string {
  if (task.status !== undefined) return task.status
  if (task.waiting) return t('taskWaits', { reason: task.waiting })
  return task.progress === undefined ? t('taskState.running') : percent(task.progress)
}

const lasted = ({ starttime, endtime }: TaskInfo): number | null =>
  endtime === undefined ? null : Math.max(0, endtime - starttime)

const TYPES = (
  'download imgcopy imgdel nodepower qmcloudinit qmconfig qmcreate qmdestroy qmmove qmpause qmreboot qmreset qmresume ' +
  'qmshutdown qmstart qmstop qmsuspend qmtemplate resize srvreload srvrestart srvstart srvstop startall stopall ' +
  'suspendall vncproxy vncshell'
).split(' ')

export function useTaskColumns(nodes: readonly string[]): readonly Column<TaskInfo>[] {
  const { t } = useTranslation('lists')
  return useMemo(() => [...what(t, nodes), ...when(t)], [t, nodes])
}

const what = (t: T, nodes: readonly string[]): Column<TaskInfo>[] => [
  {
    id: 'type',
    header: t('task'),
    value: ({ type }) => type,
    filter: 'options',
    options: TYPES,
    single: true,
    required: true,
    mobile: 'title',
    width: 130,
  },
  {
    id: 'status',
    header: t('status'),
    value: stateOf,
    label: (value) => t(`taskState.${STATES.find((each) => each === value) ?? 'error'}`),
    cell: (task) => <StatusDot status={TONE[stateOf(task)]} label={wordOf(t, task)} />,
    card: (task) => (
      <StatusDot
        status={TONE[stateOf(task)]}
        label={stateOf(task) === 'running' ? wordOf(t, task) : t(`taskState.${stateOf(task)}`)}
      />
    ),
    filter: 'options',
    options: STATES,
    mobile: 'side',
    width: 220,
  },
  { id: 'id', header: t('object'), value: ({ id }) => id, filter: 'text', mobile: 'meta', width: 90 },
  {
    id: 'node',
    header: t('node'),
    value: ({ node }) => node,
    filter: 'options',
    options: nodes,
    single: true,
    width: 90,
  },
  { id: 'user', header: t('user'), value: ({ user }) => user, filter: 'text', mobile: 'meta', width: 130 },
]

const when = (t: T): Column<TaskInfo>[] => [
  {
    id: 'start',
    header: t('started'),
    value: ({ starttime }) => new Date(starttime * 1000).toISOString(),
    label: (value) => (value in AGES ? t(`age.${value as Age}`) : value),
    cell: ({ starttime }) => moment(starttime),
    filter: 'options',
    options: Object.keys(AGES),
    single: true,
    mobile: 'meta',
    width: 190,
  },
  {
    id: 'duration',
    header: t('duration'),
    value: lasted,
    cell: (task) => {
      const seconds = lasted(task)
      return seconds === null ? '' : duration(seconds)
    },
    align: 'right',
    width: 100,
  },
  { id: 'result', header: t('result'), value: ({ status }) => status, width: 220, optional: true },
  { id: 'upid', header: 'UPID', value: ({ upid }) => upid, width: 300, optional: true },
]
