import { VisuallyHidden } from '@mantine/core'
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import type { KeyboardEvent, PointerEvent } from 'react'
import { useTranslation } from 'react-i18next'
import classes from './DataTable.module.css'
import { widthOf } from './layout'
import type { Column, Sort, TableState } from './types'

interface HeaderProps<Row> {
  columns: readonly Column<Row>[]
  state: TableState
  widths: Readonly<Record<string, number>>
  sortable: boolean
  /** `some`: a part of the rows is chosen; undefined: there is no selection. */
  chosen?: 'all' | 'some' | 'none'
  withActions: boolean
  onChooseAll: () => void
  /** While dragging (`done` false) only the sight changes; at its end the width is remembered. */
  onResize: (column: string, width: number | undefined, done: boolean) => void
}

const nextSort = (column: string, sort: Sort | null): Sort | null => {
  if (sort?.column !== column) return { column, descending: false }
  return sort.descending ? null : { column, descending: true }
}

const ariaSort = (column: string, sort: Sort | null) =>
  sort?.column === column ? (sort.descending ? 'descending' : 'ascending') : undefined

const STEP = 16

export function Header<Row>(props: HeaderProps<Row>) {
  const { t } = useTranslation('lists')
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows are virtual, so the grid is made of roles
    <div role="rowgroup" className={classes.header}>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: see above */}
      <div role="row" aria-rowindex={1} className={classes.headerRow}>
        {props.chosen && (
          // biome-ignore lint/a11y/useSemanticElements: see above
          // biome-ignore lint/a11y/useFocusableInteractive: see above
          <div role="columnheader" className={classes.select}>
            <input
              type="checkbox"
              aria-label={t('selectAll')}
              checked={props.chosen === 'all'}
              ref={(input) => {
                if (input) input.indeterminate = props.chosen === 'some'
              }}
              onChange={props.onChooseAll}
            />
          </div>
        )}
        {props.columns.map((column) => (
          <HeaderCell key={column.id} column={column} {...props} />
        ))}
        {props.withActions && (
          // biome-ignore lint/a11y/useSemanticElements: see above
          // biome-ignore lint/a11y/useFocusableInteractive: see above
          <div role="columnheader" className={classes.headerActions}>
            <VisuallyHidden>{t('actions')}</VisuallyHidden>
          </div>
        )}
      </div>
    </div>
  )
}

function HeaderCell<Row>({ column, state, widths, sortable, onResize }: HeaderProps<Row> & { column: Column<Row> }) {
  const { t } = useTranslation('lists')
  const sort = ariaSort(column.id, state.query.sort)
  const resizeByKey = (event: KeyboardEvent) => {
    if (!event.shiftKey || (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight')) return
    event.preventDefault()
    event.stopPropagation()
    onResize(column.id, widthOf(column, widths) + (event.key === 'ArrowLeft' ? -STEP : STEP), true)
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    // biome-ignore lint/a11y/useFocusableInteractive: see above
    <div role="columnheader" className={classes.headerCell} data-align={column.align} aria-sort={sort}>
      {sortable && column.sortable !== false ? (
        <button
          type="button"
          className={classes.sort}
          title={t('resizeHint')}
          onClick={() => state.setSort(nextSort(column.id, state.query.sort))}
          onKeyDown={resizeByKey}
        >
          <span className={classes.clip}>{column.header}</span>
          {sort === 'ascending' && <IconArrowUp size={14} aria-hidden />}
          {sort === 'descending' && <IconArrowDown size={14} aria-hidden />}
        </button>
      ) : (
        <span className={classes.clip}>{column.header}</span>
      )}
      <Handle onResize={(width, done) => onResize(column.id, width, done)} />
    </div>
  )
}

/** The border between two headers, to be dragged; a double click gives the width back to the table. */
function Handle({ onResize }: { onResize: (width: number | undefined, done: boolean) => void }) {
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    const handle = event.currentTarget
    const left = handle.parentElement?.getBoundingClientRect().left ?? 0
    handle.setPointerCapture(event.pointerId)
    handle.onpointermove = (move) => onResize(move.clientX - left, false)
    handle.onpointerup = (up) => {
      handle.onpointermove = null
      handle.onpointerup = null
      if (Math.abs(up.clientX - event.clientX) > 2) onResize(up.clientX - left, true)
    }
  }
  return (
    <div aria-hidden className={classes.handle} onPointerDown={drag} onDoubleClick={() => onResize(undefined, true)} />
  )
}
