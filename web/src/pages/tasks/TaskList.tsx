import { IconListCheck } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { useNodes } from '@/live/inventory'
import { useTasks } from '@/live/tasks'
import type { TaskInfo } from '@/live/types'
import { useArchive } from '@/pages/tasks/list/archive'
import { useTaskColumns } from '@/pages/tasks/list/columns'
import { asksArchive, merged, wishOf } from '@/pages/tasks/list/entries'
import { DataTable, useUrlState } from '@/ui/DataTable'
import { Page } from '@/ui/Page'

const keyOf = ({ upid }: TaskInfo): string => upid
const nameOf = ({ type, id }: TaskInfo): string => `${type} ${id}`.trim()
const hrefOf = ({ upid }: TaskInfo): string => `/tasks/${encodeURIComponent(upid)}`

/** The node that answers: its archive is shown unless another is chosen. */
function useAnsweringNode(): string {
  const { data } = useApi('GET /cluster/status', {})
  return data?.find((row) => row.type === 'node' && Number(row.local) === 1)?.name ?? ''
}

/** Running tasks of all nodes, and what one node has done. */
export default function TaskList() {
  const { t } = useTranslation('lists')
  const nodes = useNodes()
  const names = useMemo(() => nodes.map(({ node }) => node), [nodes])
  const columns = useTaskColumns(names)
  const state = useUrlState(columns)
  const wish = useMemo(() => wishOf(state.query.filters, Date.now() / 1000), [state.query.filters])
  const here = useAnsweringNode()
  const node = wish.node ?? here
  const archive = useArchive(node, wish)
  const live = useTasks()
  const rows = useMemo(() => merged(live.values(), archive.rows, wish, node), [live, archive.rows, wish, node])
  return (
    <Page title={t('tasks')} flush>
      <DataTable
        id="tasks"
        label={t('tasks')}
        columns={columns}
        state={state}
        rows={rows}
        rowKey={keyOf}
        rowName={nameOf}
        href={hrefOf}
        loading={asksArchive(wish) && (node === '' || archive.loading)}
        error={archive.error}
        onRetry={archive.retry}
        paged={archive.paged}
        noSearch
        empty={{ title: t('noTasks'), description: t('noTasksHint'), icon: <IconListCheck /> }}
      />
    </Page>
  )
}
