import { Button } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useApi } from '@/api/query'
import { useTasks } from '@/live/tasks'
import { type Column, DataTable } from '@/ui/DataTable'
import { duration, moment } from '@/ui/format'
import { StatusDot } from '@/ui/StatusDot'

type Read = Result<'GET /nodes/{node}/tasks'>[number]
type Task = Pick<Read, 'upid' | 'type' | 'id' | 'user' | 'starttime' | 'endtime' | 'status'>
const MOST = 500

/** What was read, and what events have told since. */
function useNodeTasks(node: string) {
  const query = useApi('GET /nodes/{node}/tasks', { node, limit: MOST, source: 'all' }, { staleTime: 0 })
  const live = useTasks()
  const rows = useMemo(() => {
    const all = new Map<string, Task>((query.data ?? []).map((task) => [task.upid, task]))
    for (const task of live.values()) if (task.node === node) all.set(task.upid, { ...all.get(task.upid), ...task })
    return [...all.values()]
  }, [query.data, live, node])
  return { query, rows }
}

const toneOf = (status: string | undefined): string => {
  if (status === undefined) return 'busy'
  return status === 'OK' ? 'OK' : status.startsWith('WARNINGS') ? 'paused' : 'error'
}

function useColumns(): Column<Task>[] {
  const { t } = useTranslation('node')
  return useMemo(
    () => [
      {
        id: 'start',
        header: t('tasks.start'),
        value: (row) => row.starttime,
        cell: (row) => moment(row.starttime),
        width: 180,
        fixed: true,
        mobile: 'meta',
      },
      {
        id: 'type',
        header: t('tasks.type'),
        value: (row) => row.type,
        width: 130,
        required: true,
        filter: 'options',
        mobile: 'title',
      },
      { id: 'id', header: t('tasks.id'), value: (row) => row.id, width: 100, mobile: 'meta' },
      { id: 'user', header: t('tasks.user'), value: (row) => row.user, width: 150, filter: 'options', mobile: 'meta' },
      {
        id: 'duration',
        header: t('tasks.duration'),
        value: (row) => (row.endtime ? row.endtime - row.starttime : null),
        cell: (row) => (row.endtime ? duration(row.endtime - row.starttime) : ''),
        width: 100,
        align: 'right',
      },
      {
        id: 'status',
        header: t('tasks.status'),
        value: (row) => row.status ?? t('tasks.running'),
        cell: (row) => <StatusDot status={toneOf(row.status)} label={row.status ?? t('tasks.running')} />,
        width: 220,
        mobile: 'side',
      },
    ],
    [t],
  )
}

export default function TasksTab({ node }: { node: string }) {
  const { t } = useTranslation('node')
  const { query, rows } = useNodeTasks(node)
  const columns = useColumns()
  return (
    <DataTable
      id="node-tasks"
      label={t('tasks.list')}
      columns={columns}
      rows={rows}
      rowKey={(row) => row.upid}
      rowName={(row) => `${row.type} ${row.id}`}
      href={(row) => `/tasks/${encodeURIComponent(row.upid)}`}
      loading={query.isPending}
      error={query.error}
      onRetry={() => void query.refetch()}
      defaultSort="-start"
      toolbar={
        <Button
          size="xs"
          ml="auto"
          variant="default"
          leftSection={<IconRefresh size={14} />}
          loading={query.isFetching}
          onClick={() => void query.refetch()}
        >
          {t('tasks.refresh')}
        </Button>
      }
      empty={{ title: t('tasks.emptyTitle'), description: t('tasks.emptyText') }}
    />
  )
}
