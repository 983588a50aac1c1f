import { IconListCheck } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { useMay } from '@/api/session'
import { inventory, useNodes } from '@/live/inventory'
import { useSelected } from '@/live/store'
import { useTasks } from '@/live/tasks'
import type { Inventory, TaskInfo } from '@/live/types'
import { useArchive } from '@/pages/tasks/list/archive'
import { useTaskColumns } from '@/pages/tasks/list/columns'
import { asksArchive, merged, wishOf } from '@/pages/tasks/list/entries'
import { DataTable, useUrlState } from '@/ui/DataTable'
import { Page } from '@/ui/Page'

const keyOf = ({ upid }: TaskInfo): string => upid
const nameOf = ({ type, id }: TaskInfo): string => `${type} ${id}`.trim()
const hrefOf = ({ upid }: TaskInfo): string => `/tasks/${encodeURIComponent(upid)}`

const firstSeen = ({ nodeList, guestList }: Inventory): string => (nodeList[0] ?? guestList[0])?.node ?? ''

/** The node that answers: its archive is shown unless another is chosen. Who may not ask which it is gets a guest's. */
function useAnsweringNode(): { here: string; asking: boolean } {
  const may = useMay('dc', 'Sys.Audit')
  const { data, isPending } = useApi('GET /cluster/status', {}, { enabled: may })
  const seen = useSelected(inventory, firstSeen)
  const ready = useSelected(inventory, (all) => all.ready)
  const local = data?.find((row) => row.type === 'node' && Number(row.local) === 1)?.name
  const asking = may ? isPending : !ready
  return { here: asking ? '' : (local ?? seen), asking }
}

/** Running tasks of all nodes, and what one node has done. */
export default function TaskList() {
  const { t } = useTranslation('lists')
  const nodes = useNodes()
  const names = useMemo(() => nodes.map(({ node }) => node), [nodes])
  const columns = useTaskColumns(names)
  const state = useUrlState(columns)
  const wish = useMemo(() => wishOf(state.query.filters, Date.now() / 1000), [state.query.filters])
  const { here, asking } = useAnsweringNode()
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
        loading={asksArchive(wish) && (node === '' ? asking : archive.loading)}
        error={archive.error}
        onRetry={archive.retry}
        paged={archive.paged}
        noSearch
        empty={{ title: t('noTasks'), description: t('noTasksHint'), icon: <IconListCheck /> }}
      />
    </Page>
  )
}
