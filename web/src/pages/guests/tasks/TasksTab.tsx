import { IconListCheck } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useTasks } from '@/live/tasks'
import type { TaskInfo } from '@/live/types'
import type { TabProps } from '@/pages/guests/tabs'
import { useArchive } from '@/pages/tasks/list/archive'
import { useTaskColumns } from '@/pages/tasks/list/columns'
import { asksArchive, merged, wishOf } from '@/pages/tasks/list/entries'
import { DataTable, useUrlState } from '@/ui/DataTable'

const keyOf = ({ upid }: TaskInfo): string => upid
const nameOf = ({ type, id }: TaskInfo): string => `${type} ${id}`.trim()
const hrefOf = ({ upid }: TaskInfo): string => `/tasks/${encodeURIComponent(upid)}`
const NONE: readonly string[] = []
/** What is the same in every row. */
const SAME = new Set(['id', 'node'])

/** What was done with this guest, and what is being done. */
export default function TasksTab({ guest }: TabProps) {
  const { t } = useTranslation('guest')
  const all = useTaskColumns(NONE)
  const columns = useMemo(() => all.filter(({ id }) => !SAME.has(id)), [all])
  const state = useUrlState(columns)
  const { filters } = state.query
  const wish = useMemo(
    () => ({ ...wishOf(filters, Date.now() / 1000), id: String(guest.vmid), node: guest.node }),
    [filters, guest.vmid, guest.node],
  )
  const archive = useArchive(guest.node, wish)
  const live = useTasks()
  const rows = useMemo(
    () => merged(live.values(), archive.rows, wish, guest.node),
    [live, archive.rows, wish, guest.node],
  )
  return (
    <DataTable
      id="guest-tasks"
      label={t('tasks.of', { name: guest.name })}
      columns={columns}
      state={state}
      rows={rows}
      rowKey={keyOf}
      rowName={nameOf}
      href={hrefOf}
      loading={asksArchive(wish) && archive.loading}
      error={archive.error}
      onRetry={archive.retry}
      paged={archive.paged}
      noSearch
      empty={{ title: t('tasks.none'), description: t('tasks.noneText'), icon: <IconListCheck /> }}
    />
  )
}
