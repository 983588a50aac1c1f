/** What a list is made of. A page declares columns, rows and what can be done with them; the table does the rest. */
import type { ReactNode } from 'react'

/** What a column knows of a row: sorted, filtered, searched and exported by it. */
export type Value = string | number | boolean | readonly string[] | null | undefined

export interface Column<Row> {
  id: string
  /** Translated; also the name in the column menu, the filter bar and the export. */
  header: string
  value: (row: Row) => Value
  /** What is drawn, if it isn't the value's text. Draw from the row alone: rows are drawn again only when they change. */
  cell?: (row: Row) => ReactNode
  /** The same for a phone's card, where it has no header to explain it. */
  card?: (row: Row) => ReactNode
  /** The text for people where the value is a raw one: searched, and the label of filter options. */
  label?: (value: string) => string
  /** Least width in pixels. Columns share what is left in proportion, unless `fixed`. */
  width?: number
  fixed?: boolean
  align?: 'left' | 'right'
  /** Hidden until chosen. */
  optional?: boolean
  /** Can't be hidden: what names the row. */
  required?: boolean
  /** In a phone's card: the first line, the second, at the right of the first, or nowhere (the default). */
  mobile?: 'title' | 'meta' | 'side' | 'hidden'
  /** `options`: choose among the values there are; `text`: contains. The parameter in the URL is the column's id. */
  filter?: 'options' | 'text'
  /** All values that there can be, in order, where the rows at hand don't tell (lists that the server pages). */
  options?: readonly string[]
  /** Only one of the options at a time. */
  single?: boolean
  /** Whether the search looks at it; by default if its value isn't a number. */
  search?: boolean
  sortable?: boolean
}

export interface RowAction {
  id: string
  label: string
  icon?: ReactNode
  danger?: boolean
  /** Why it can't be done now: shown, and the action is disabled. */
  disabled?: string
  /** A line above it in the menu. */
  divider?: boolean
  onClick: () => void
}

export interface BulkAction<Row> {
  id: string
  label: string
  icon?: ReactNode
  danger?: boolean
  /** In the bar itself; the others are in its menu. */
  primary?: boolean
  /** Why it can't be done with these. */
  disabled?: (rows: readonly Row[]) => string | undefined
  onClick: (rows: readonly Row[]) => void
}

/** What stands where there are no rows at all. */
export interface Empty {
  title: string
  description?: string
  icon?: ReactNode
  action?: ReactNode
}

/** For lists that the server pages and filters: rows are what was read until now. */
export interface Paged {
  total?: number
  hasMore: boolean
  loadingMore: boolean
  loadMore: () => void
}

/** `column`, or `-column` for the other direction. */
export interface Sort {
  column: string
  descending: boolean
}

/** What is asked of a list. Kept in the URL, so that it can be shared and gone back to. */
export interface Query {
  q: string
  sort: Sort | null
  /** Column id to the values wanted (one for `text`). Columns without a wish aren't there. */
  filters: Readonly<Record<string, readonly string[]>>
}

export interface TableState {
  query: Query
  setSearch: (q: string) => void
  setSort: (sort: Sort | null) => void
  setFilter: (column: string, values: readonly string[]) => void
  clear: () => void
}

export interface DataTableProps<Row> {
  /** Under which the chosen columns and widths are remembered. */
  id: string
  /** The table's name for screen readers. */
  label: string
  /** Keep them stable (`useMemo`): each change draws all rows. */
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  rowKey: (row: Row) => string
  /** What a row is called: `web-1 (100)`. */
  rowName: (row: Row) => string
  loading?: boolean
  error?: unknown
  onRetry?: () => void
  /** Enter, or a click on the row. */
  onOpen?: (row: Row) => void
  /** Where the row's name links to, so that it can be opened in another tab: an address within the page. */
  href?: (row: Row) => string
  /** The row's menu (three dots, context click); asked for when it is opened. */
  actions?: (row: Row) => readonly RowAction[]
  /** Buttons in the row itself, seen under the pointer (not on phones; the menu has them too). They need icons. Keep it stable. */
  quick?: (row: Row) => readonly RowAction[]
  /** Bulk actions; without them there is no selection. */
  bulk?: readonly BulkAction<Row>[]
  empty: Empty
  defaultSort?: string
  /** Where search, sort and filters live. `memory` for a second table of a page, or one in a dialog. */
  stateIn?: 'url' | 'memory'
  /** The state, if the page needs it itself (`useTableState`). */
  state?: TableState
  /** The rows come filtered and sorted from the server, in pages. */
  paged?: Paged
  /** Further controls at the right of the filters. */
  toolbar?: ReactNode
  /** As high as its rows, at most this (px); without it, the table fills its container, which must have a height. */
  maxHeight?: number
  /** No search and filters: for a handful of rows. */
  plain?: boolean
  /** Filters without a search: for lists whose server can't search. */
  noSearch?: boolean
}
