import { useRouter } from '@tanstack/react-router'
import { type Range, useVirtualizer } from '@tanstack/react-virtual'
import {
  type CSSProperties,
  type PointerEvent,
  type RefObject,
  useCallback,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from 'react'
import { useTranslation } from 'react-i18next'
import classes from './DataTable.module.css'
import { Header } from './Header'
import { ACTIONS_WIDTH, CARD_HEIGHT, HEADER_HEIGHT, layoutOf, ROW_HEIGHT, windowOf } from './layout'
import { Row, type RowKit, rowId } from './Row'
import { type OpenMenu, RowMenu } from './RowMenu'
import { useDensity } from './settings'
import type { DataTableProps, TableState } from './types'
import { useGridEvents } from './useGridEvents'
import type { SelectionState } from './useSelection'
import type { View } from './useView'

export interface GridProps<Row> {
  props: DataTableProps<Row> & { state: TableState }
  view: View<Row>
  cards: boolean
  selection: SelectionState
  grid: RefObject<HTMLDivElement | null>
}

function useKit<Row>({ props, view, cards }: GridProps<Row>): RowKit<Row> {
  const { t } = useTranslation('lists')
  const tableId = useId()
  const [density] = useDensity()
  const { rowName, href, quick } = props
  const menu = props.actions !== undefined
  const selectable = props.bulk !== undefined
  return useMemo(
    () => ({
      t,
      tableId,
      columns: view.columns,
      cards,
      height: cards ? CARD_HEIGHT : ROW_HEIGHT[density],
      selectable,
      menu,
      rowName,
      href,
      quick: cards ? undefined : quick,
    }),
    [t, tableId, view.columns, cards, density, selectable, menu, rowName, href, quick],
  )
}

interface Drawn {
  /** Rows in the page, each in its slot. */
  items: { index: number; slot: string }[]
  last: number
  scrollTo: (index: number) => void
}

function useRows(
  kit: { height: number; cards: boolean },
  count: number,
  active: number,
  grid: RefObject<HTMLDivElement | null>,
): Drawn {
  const margin = kit.cards ? 0 : HEADER_HEIGHT
  const size = useRef(0)
  const rangeExtractor = useCallback(({ startIndex, endIndex, count }: Range) => {
    const { from, size: needed } = windowOf(startIndex, endIndex, count, size.current)
    size.current = needed
    return Array.from({ length: Math.min(needed, count) }, (_, at) => from + at)
  }, [])
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => grid.current,
    estimateSize: () => kit.height,
    scrollMargin: margin,
    scrollPaddingStart: margin,
    useFlushSync: false,
    rangeExtractor,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows have another height now
  useEffect(() => virtualizer.measure(), [kit.height, virtualizer])
  const indexes = virtualizer.getVirtualIndexes()
  const slots = Math.max(1, size.current)
  const items = indexes.map((index) => ({ index, slot: String(index % slots) }))
  const last = indexes.at(-1) ?? 0
  // The active row stays in the page: the grid refers to it.
  const away = active >= 0 && (active < (indexes[0] ?? 0) || active > last)
  if (away) items.push({ index: active, slot: 'active' })
  useEffect(() => {
    // A control in it would lose the focus with its slot.
    if (away && grid.current?.contains(document.activeElement)) grid.current.focus({ preventScroll: true })
  }, [away, grid])
  return { items, last, scrollTo: (index) => virtualizer.scrollToIndex(index) }
}

/** The row under the mouse: it shows its buttons. */
function usePointed(wanted: boolean) {
  const [pointed, setPointed] = useState(-1)
  if (!wanted) return { pointed: -1, pointing: {} }
  const onPointerOver = (event: PointerEvent) => {
    if (event.pointerType !== 'mouse' || !(event.target instanceof Element)) return
    setPointed(Number(event.target.closest<HTMLElement>('[data-index]')?.dataset.index ?? -1))
  }
  return { pointed, pointing: { onPointerOver, onPointerLeave: () => setPointed(-1) } }
}

function useLoadMore<Row>(props: DataTableProps<Row>, last: number): void {
  const { paged } = props
  const near = last >= props.rows.length - 20
  useEffect(() => {
    if (near && paged?.hasMore && !paged.loadingMore) paged.loadMore()
  }, [near, paged])
}

export function Grid<Row extends object>(given: GridProps<Row>) {
  const { props, view, cards, selection, grid } = given
  const kit = useKit(given)
  const [activeKey, setActiveKey] = useState<string | null>(null)
  const [menu, setMenu] = useState<OpenMenu | null>(null)
  const active = activeKey === null ? -1 : (view.index.get(activeKey) ?? -1)
  const { items, last, scrollTo } = useRows(kit, view.rows.length, active, grid)
  const { pointed, pointing } = usePointed(kit.quick !== undefined)
  useLoadMore(props, last)
  const activate = useCallback((at: number) => setActiveKey(view.keys[at] ?? null), [view.keys])
  const events = useGridEvents({
    given,
    active,
    activate,
    scrollTo,
    openMenu: setMenu,
    push: usePush(),
  })
  const { layout, resize } = useColumns(given, kit)
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: rows are virtual, so the grid is made of roles */}
      <div
        ref={grid}
        role="grid"
        tabIndex={0}
        className={classes.grid}
        data-cards={cards || undefined}
        data-menu={kit.menu || undefined}
        aria-label={props.label}
        aria-rowcount={props.paged?.hasMore ? -1 : view.rows.length + (cards ? 0 : 1)}
        aria-multiselectable={props.bulk ? true : undefined}
        aria-activedescendant={active >= 0 ? rowId(kit.tableId, active) : undefined}
        style={{ '--table-columns': cards ? undefined : layout.template, maxHeight: props.maxHeight } as CSSProperties}
        {...events}
        {...pointing}
      >
        {!cards && (
          <Header
            columns={view.columns}
            state={props.state}
            widths={view.settings.widths}
            sortable={!props.paged}
            chosen={props.bulk && chosenOf(selection.count, view.rows.length)}
            withActions={kit.menu}
            onChooseAll={() => (selection.count === view.rows.length ? selection.clear() : selection.all())}
            onResize={resize}
          />
        )}
        {/* biome-ignore lint/a11y/useSemanticElements: see above */}
        <div
          role="rowgroup"
          className={classes.body}
          style={{ height: view.rows.length * kit.height, minWidth: cards ? undefined : layout.minWidth }}
        >
          {items.map(({ index, slot }) => {
            const row = view.rows[index]
            const key = view.keys[index]
            return row && key !== undefined ? (
              <Row
                key={slot}
                row={row}
                index={index}
                kit={kit}
                active={index === active}
                pointed={index === pointed}
                selected={kit.selectable && selection.has(key)}
              />
            ) : null
          })}
        </div>
      </div>
      {props.actions && <RowMenu open={menu} onClose={() => closeMenu(setMenu, grid)} />}
    </>
  )
}

function closeMenu(setMenu: (menu: null) => void, grid: RefObject<HTMLDivElement | null>): void {
  setMenu(null)
  grid.current?.focus({ preventScroll: true })
}

const chosenOf = (count: number, all: number) => (count === 0 ? 'none' : count === all ? 'all' : 'some')

function usePush(): (href: string) => void {
  const router = useRouter()
  return useCallback((href: string) => router.history.push(href), [router])
}

function useColumns<Row>({ view, grid }: GridProps<Row>, kit: RowKit<Row>) {
  const { settings, setSettings, columns } = view
  const actionsWidth = kit.menu ? ACTIONS_WIDTH : 0
  const layout = useMemo(
    () => layoutOf(columns, settings.widths, kit.selectable, actionsWidth),
    [columns, settings.widths, kit.selectable, actionsWidth],
  )
  const pending = useRef(0)
  const resize = (column: string, width: number | undefined, done: boolean) => {
    const { [column]: _, ...others } = settings.widths
    const widths = width === undefined ? others : { ...others, [column]: Math.round(width) }
    if (done) return setSettings({ ...settings, widths })
    window.cancelAnimationFrame(pending.current)
    pending.current = window.requestAnimationFrame(() => {
      const { template } = layoutOf(columns, widths, kit.selectable, actionsWidth)
      grid.current?.style.setProperty('--table-columns', template)
    })
  }
  return { layout, resize }
}
