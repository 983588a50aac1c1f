import { useDeferredValue, useMemo } from 'react'
import { filterRows, sortRows } from './rows'
import { isShown, type Settings, useSettings } from './settings'
import type { Column, DataTableProps, TableState } from './types'

/** What of the rows is shown: the columns somebody likes, the rows that the query wants. */
export interface View<Row> {
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  /** Keys of the rows, and where each is. */
  keys: readonly string[]
  index: ReadonlyMap<string, number>
  rowsWithout: (column: string) => readonly Row[]
  settings: Settings
  setSettings: (next: Settings) => void
}

export function useView<Row extends object>(props: DataTableProps<Row>, state: TableState): View<Row> {
  const { columns: all, rowKey, paged } = props
  const [settings, setSettings] = useSettings(props.id)
  const columns = useMemo(() => all.filter((column) => isShown(column, settings)), [all, settings])
  // Typing comes first: rows follow when there is time.
  const query = useDeferredValue(state.query)
  const source = useDeferredValue(props.rows)
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is remembered holds for these columns only
  const memory = useMemo(() => new WeakMap<Row, string>(), [columns])
  const given = Boolean(paged)
  const filtered = useMemo(
    () => (given ? source : filterRows(source, all, query, columns, memory)),
    [given, source, all, query, columns, memory],
  )
  const rows = useMemo(
    () => (given ? filtered : sortRows(filtered, all, query.sort)),
    [given, filtered, all, query.sort],
  )
  const keys = useMemo(() => rows.map(rowKey), [rows, rowKey])
  const index = useMemo(() => new Map(keys.map((key, at) => [key, at])), [keys])
  const rowsWithout = (column: string) => filterRows(source, all, query, columns, memory, column)
  return { columns, rows, keys, index, rowsWithout, settings, setSettings }
}
