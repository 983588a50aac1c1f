/**
 * The table of every list: only the rows in sight are in the page. Search, sort and filters live in the URL; on phones rows
 * become cards. The grid holds the focus and names the active row, so that rows may come and go under it.
 */
import { useMediaQuery } from '@mantine/hooks'
import { useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { BulkBar } from './BulkBar'
import { csv, download } from './csv'
import classes from './DataTable.module.css'
import { Grid } from './Grid'
import { ROW_HEIGHT } from './layout'
import { isFiltered } from './query'
import { Failed, Loading, NoMatch, NothingThere } from './States'
import { useMemoryState, useUrlState } from './state'
import { Toolbar } from './Toolbar'
import type { DataTableProps, TableState } from './types'
import { useSelection } from './useSelection'
import { useView, type View } from './useView'
import { ViewMenu } from './ViewMenu'

export function DataTable<Row extends object>(props: DataTableProps<Row>) {
  if (props.state) return <Table {...props} state={props.state} />
  return props.stateIn === 'memory' ? <MemoryTable {...props} /> : <UrlTable {...props} />
}

function UrlTable<Row extends object>(props: DataTableProps<Row>) {
  return <Table {...props} state={useUrlState(props.columns, props.defaultSort)} />
}

function MemoryTable<Row extends object>(props: DataTableProps<Row>) {
  return <Table {...props} state={useMemoryState(props.columns, props.defaultSort)} />
}

type Stated<Row> = DataTableProps<Row> & { state: TableState }

function Table<Row extends object>(props: Stated<Row>) {
  const cards = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false }) ?? false
  const view = useView(props, props.state)
  const selection = useSelection(view)
  const grid = useRef<HTMLDivElement>(null)
  const clear = () => {
    selection.clear()
    grid.current?.focus()
  }
  return (
    <div className={classes.root} data-fill={props.maxHeight === undefined || undefined}>
      {!props.plain && hasTools(props) && <TableToolbar {...props} view={view} cards={cards} />}
      <Body props={props} view={view} cards={cards} selection={selection} grid={grid} />
      {props.bulk && selection.count > 0 && (
        <BulkBar rows={selection.rows()} actions={props.bulk} cards={cards} onClear={clear} />
      )}
      <Announcement count={props.bulk ? selection.count : 0} />
    </div>
  )
}

/** Where there is nothing at all, there is nothing to search and filter. */
const hasTools = <Row,>({ rows, loading, state }: Stated<Row>): boolean =>
  rows.length > 0 || loading === true || isFiltered(state.query)

function Announcement({ count }: { count: number }) {
  const { t } = useTranslation('lists')
  return (
    <div className={classes.hidden} role="status">
      {count > 0 && t('selected', { count, number: String(count) })}
    </div>
  )
}

type Parts<Row> = { view: View<Row>; cards: boolean }

function TableToolbar<Row extends object>({ view, cards, ...props }: Stated<Row> & Parts<Row>) {
  const save = () => download(`${props.id}.csv`, csv(view.rows, view.columns))
  return (
    <Toolbar
      columns={props.columns.filter((column) => view.columns.includes(column) || props.state.query.filters[column.id])}
      state={props.state}
      rowsWithout={view.rowsWithout}
      counted={!props.paged}
      shown={props.paged?.total === undefined ? view.rows.length : props.paged.total}
      total={props.paged?.total ?? props.rows.length}
      search={!props.noSearch}
      extra={props.toolbar}
      view={
        <ViewMenu
          columns={props.columns}
          settings={view.settings}
          onSettings={view.setSettings}
          state={props.state}
          cards={cards}
          sortable={!props.paged}
          onExport={save}
        />
      }
    />
  )
}

interface BodyProps<Row> extends Parts<Row> {
  props: Stated<Row>
  selection: ReturnType<typeof useSelection<Row>>
  grid: React.RefObject<HTMLDivElement | null>
}

function Body<Row extends object>({ props, view, cards, selection, grid }: BodyProps<Row>) {
  if (props.error && props.rows.length === 0) return <Failed error={props.error} onRetry={props.onRetry} />
  if (props.loading && props.rows.length === 0) return <Loading height={ROW_HEIGHT.comfortable} />
  // The rows are there, but not yet drawn: a busy browser must not say that there are none.
  if (view.rows.length === 0 && props.rows.length > 0 && !isFiltered(props.state.query))
    return <Loading height={ROW_HEIGHT.comfortable} />
  if (view.rows.length === 0)
    return isFiltered(props.state.query) ? (
      <NoMatch onClear={props.state.clear} />
    ) : (
      <NothingThere empty={props.empty} />
    )
  return <Grid props={props} view={view} cards={cards} selection={selection} grid={grid} />
}
