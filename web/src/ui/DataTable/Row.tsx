import { IconDots } from '@tabler/icons-react'
import { memo, type ReactNode } from 'react'
import type { useTranslation } from 'react-i18next'
import classes from './DataTable.module.css'
import { textOf } from './rows'
import type { Column, RowAction } from './types'

/** What all rows of a table have in common; the same object until one of it changes. */
export interface RowKit<Row> {
  t: ReturnType<typeof useTranslation<'lists'>>['t']
  tableId: string
  columns: readonly Column<Row>[]
  cards: boolean
  height: number
  selectable: boolean
  menu: boolean
  rowName: (row: Row) => string
  href?: (row: Row) => string
  quick?: (row: Row) => readonly RowAction[]
}

interface RowProps<Row> {
  row: Row
  index: number
  selected: boolean
  active: boolean
  /** The mouse is over it. */
  pointed: boolean
  kit: RowKit<Row>
}

export const rowId = (tableId: string, index: number): string => `${tableId}-row-${index}`

const content = <Row,>(column: Column<Row>, row: Row): ReactNode =>
  column.cell ? column.cell(row) : textOf(column.value(row))

function Name<Row>({ column, row, active, kit }: { column: Column<Row>; row: Row; active: boolean; kit: RowKit<Row> }) {
  if (!kit.href) return <span className={classes.clip}>{content(column, row)}</span>
  return (
    <a className={classes.name} href={kit.href(row)} data-act="open" tabIndex={active ? 0 : -1}>
      {content(column, row)}
    </a>
  )
}

function Select({ label, selected, active }: { label: string; selected: boolean; active: boolean }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows are virtual, so the grid is made of roles
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus and names the row in it
    <div role="gridcell" className={classes.select} data-act="select">
      <input
        type="checkbox"
        checked={selected}
        onChange={() => undefined /* the grid hears the click */}
        aria-label={label}
        tabIndex={active ? 0 : -1}
      />
    </div>
  )
}

function Buttons<Row>({ row, active, pointed, kit }: Omit<RowProps<Row>, 'index' | 'selected'>) {
  const tabIndex = active ? 0 : -1
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    // biome-ignore lint/a11y/useFocusableInteractive: see above
    <div role="gridcell" className={classes.buttons}>
      {kit.quick && (active || pointed) && (
        <span className={classes.quick}>
          {kit.quick(row).map(({ id, label, icon, disabled }) => (
            <button
              key={id}
              type="button"
              className={classes.button}
              data-act="quick"
              data-id={id}
              aria-label={label}
              title={disabled ?? label}
              aria-disabled={disabled !== undefined}
              tabIndex={tabIndex}
            >
              {icon}
            </button>
          ))}
        </span>
      )}
      <button
        type="button"
        className={classes.button}
        data-act="menu"
        aria-label={kit.t('actionsOf', { name: kit.rowName(row) })}
        aria-haspopup="menu"
        tabIndex={tabIndex}
      >
        <IconDots size={18} aria-hidden />
      </button>
    </div>
  )
}

function Cells<Row>({ row, active, kit }: { row: Row; active: boolean; kit: RowKit<Row> }) {
  return kit.columns.map((column) => (
    // biome-ignore lint/a11y/useSemanticElements: see above
    // biome-ignore lint/a11y/useFocusableInteractive: see above
    <div key={column.id} role="gridcell" className={classes.cell} data-align={column.align}>
      {column.mobile === 'title' ? (
        <Name column={column} row={row} active={active} kit={kit} />
      ) : (
        <span className={classes.clip}>{content(column, row)}</span>
      )}
    </div>
  ))
}

function Card<Row>({ row, active, kit }: { row: Row; active: boolean; kit: RowKit<Row> }) {
  const drawn = (column: Column<Row>) => (column.card ? column.card(row) : content(column, row))
  const of = (place: Column<Row>['mobile']) => kit.columns.filter((column) => column.mobile === place)
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    // biome-ignore lint/a11y/useFocusableInteractive: see above
    <div role="gridcell" className={classes.card}>
      <div className={classes.cardLine}>
        {of('title').map((column) => (
          <Name key={column.id} column={column} row={row} active={active} kit={kit} />
        ))}
        <span className={classes.cardSide}>
          {of('side').map((column) => (
            <span key={column.id}>{drawn(column)}</span>
          ))}
        </span>
      </div>
      <div className={classes.cardMeta}>
        {of('meta').map((column) => (
          <span key={column.id}>{drawn(column)}</span>
        ))}
      </div>
    </div>
  )
}

function PlainRow<Row>({ row, index, selected, active, pointed, kit }: RowProps<Row>) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    // biome-ignore lint/a11y/useFocusableInteractive: see above
    <div
      role="row"
      id={rowId(kit.tableId, index)}
      className={classes.row}
      data-index={index}
      data-active={active || undefined}
      aria-rowindex={index + (kit.cards ? 1 : 2)}
      aria-selected={kit.selectable ? selected : undefined}
      style={{ transform: `translateY(${index * kit.height}px)`, height: kit.height }}
    >
      {kit.selectable && (
        <Select label={kit.t('select', { name: kit.rowName(row) })} selected={selected} active={active} />
      )}
      {kit.cards ? <Card row={row} active={active} kit={kit} /> : <Cells row={row} active={active} kit={kit} />}
      {kit.menu && <Buttons row={row} active={active} pointed={pointed} kit={kit} />}
    </div>
  )
}

/** A row; drawn again only when its own row object, its state or the table's make-up changes. */
export const Row = memo(PlainRow) as typeof PlainRow
