export { DataTable } from './DataTable'
export { useMemoryState, useUrlState } from './state'
export type {
  BulkAction,
  Column,
  DataTableProps,
  Empty,
  Paged,
  Query,
  RowAction,
  Sort,
  TableState,
  Value,
} from './types'
