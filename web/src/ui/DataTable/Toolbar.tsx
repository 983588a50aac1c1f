import { Button, CloseButton, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { number } from '@/ui/format'
import classes from './DataTable.module.css'
import { FilterMenu } from './FilterMenu'
import { isFiltered } from './query'
import type { Column, TableState } from './types'

interface ToolbarProps<Row> {
  columns: readonly Column<Row>[]
  state: TableState
  /** The rows that all filters but this column's let through: for the counts beside the options. */
  rowsWithout: (column: string) => readonly Row[]
  counted: boolean
  shown: number
  total: number
  search: boolean
  extra?: ReactNode
  view: ReactNode
}

/** Search, filters, and how many rows they leave. */
export function Toolbar<Row>({
  columns,
  state,
  rowsWithout,
  counted,
  shown,
  total,
  search,
  extra,
  view,
}: ToolbarProps<Row>) {
  const { t } = useTranslation('lists')
  const filtered = isFiltered(state.query)
  return (
    <div className={classes.toolbar}>
      {search && <SearchField state={state} />}
      <div className={classes.filters}>
        {columns
          .filter((column) => column.filter)
          .map((column) => (
            <ColumnFilter key={column.id} column={column} state={state} rowsWithout={rowsWithout} counted={counted} />
          ))}
        {extra}
        {filtered && (
          <Button size="xs" variant="subtle" onClick={state.clear} style={{ flex: 'none' }}>
            {t('clearFilters')}
          </Button>
        )}
      </div>
      <Text size="sm" c="dimmed" className={`numeric ${classes.count}`} role="status">
        {shown < total ? t('shownOf', { shown: number(shown), total: number(total) }) : number(total)}
      </Text>
      {view}
    </div>
  )
}

function ColumnFilter<Row>({
  column,
  state,
  rowsWithout,
  counted,
}: Pick<ToolbarProps<Row>, 'state' | 'rowsWithout' | 'counted'> & { column: Column<Row> }) {
  return (
    <FilterMenu
      column={column}
      wanted={state.query.filters[column.id] ?? NONE}
      rows={() => rowsWithout(column.id)}
      counted={counted}
      onChange={(values) => state.setFilter(column.id, values)}
    />
  )
}

const NONE: readonly string[] = []

function SearchField({ state }: { state: TableState }) {
  const { t } = useTranslation('lists')
  const { q } = state.query
  const [text, setText] = useState(q)
  const sent = useRef(q)
  const send = useDebouncedCallback((value: string) => {
    sent.current = value
    state.setSearch(value)
  }, 200)
  // The address was changed by something else: back, a link, "clear filters".
  useEffect(() => {
    if (q === sent.current) return
    sent.current = q
    setText(q)
  }, [q])
  const change = (value: string) => {
    setText(value)
    send(value)
  }
  return (
    <TextInput
      className={classes.search}
      size="xs"
      type="search"
      aria-label={t('search')}
      placeholder={t('search')}
      leftSection={<IconSearch size={14} aria-hidden />}
      rightSection={text && <CloseButton size="xs" aria-label={t('clearSearch')} onClick={() => change('')} />}
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
    />
  )
}
