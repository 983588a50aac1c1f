/** What the mouse and the keyboard do in the grid: heard in one place instead of by each row. */
import type { KeyboardEvent, MouseEvent } from 'react'
import type { GridProps } from './Grid'
import { HEADER_HEIGHT } from './layout'
import type { OpenMenu } from './RowMenu'

interface Context<Row> {
  given: GridProps<Row>
  active: number
  activate: (index: number) => void
  scrollTo: (index: number) => void
  openMenu: (menu: OpenMenu) => void
  push: (href: string) => void
}

/** Where a key moves the active row. */
export function moved(key: string, active: number, count: number, page: number): number | null {
  const to: Record<string, number> = {
    ArrowDown: active + 1,
    ArrowUp: active - 1,
    PageDown: active + page,
    PageUp: active - page,
    Home: 0,
    End: count - 1,
  }
  const next = to[key]
  return next === undefined ? null : Math.max(0, Math.min(count - 1, next))
}

const closest = (event: MouseEvent, selector: string): HTMLElement | null =>
  event.target instanceof Element ? event.target.closest<HTMLElement>(selector) : null

const indexOf = (event: MouseEvent): number => Number(closest(event, '[data-index]')?.dataset.index ?? -1)

/** Enter and Space on a control belong to it. */
const inControl = (event: KeyboardEvent): boolean =>
  event.target instanceof Element && event.target.closest('a, button, input') !== null

export function useGridEvents<Row>(context: Context<Row>) {
  const { given, active, activate, scrollTo, openMenu, push } = context
  const { props, view, selection, grid } = given

  function open(row: Row): void {
    if (props.onOpen) props.onOpen(row)
    else if (props.href) push(props.href(row))
  }

  function menuAt(index: number, x: number, y: number): void {
    const row = view.rows[index]
    if (!row || !props.actions) return
    activate(index)
    openMenu({ actions: props.actions(row), name: props.rowName(row), x, y })
  }

  function menuAtRow(index: number): void {
    const button = grid.current?.querySelector(`[data-index="${index}"] [data-act="menu"]`)
    const box = button?.getBoundingClientRect()
    if (box) menuAt(index, box.right, box.bottom)
  }

  function choose(index: number, range: boolean): void {
    if (range) selection.range(index)
    else selection.toggle(index)
  }

  function quick(row: Row, id: string | undefined): void {
    const action = props.quick?.(row).find((each) => each.id === id)
    if (action && action.disabled === undefined) action.onClick()
  }

  function onClick(event: MouseEvent<HTMLDivElement>): void {
    const index = indexOf(event)
    const row = view.rows[index]
    if (!row) return
    const target = closest(event, '[data-act]')
    const act = target?.dataset.act
    activate(index)
    if (act === 'select') choose(index, event.shiftKey)
    else if (act === 'menu') menuAtRow(index)
    else if (act === 'quick') quick(row, target?.dataset.id)
    else if (act === 'open' && (event.metaKey || event.ctrlKey || event.shiftKey))
      return // another tab or window: the browser's
    else if (props.bulk && (event.metaKey || event.ctrlKey || event.shiftKey)) choose(index, event.shiftKey)
    else if (!window.getSelection()?.toString()) {
      event.preventDefault()
      open(row)
    }
  }

  function onContextMenu(event: MouseEvent<HTMLDivElement>): void {
    const index = indexOf(event)
    if (index < 0 || !props.actions) return
    event.preventDefault()
    if (event.clientX === 0 && event.clientY === 0) menuAtRow(index)
    else menuAt(index, event.clientX, event.clientY)
  }

  function move(event: KeyboardEvent<HTMLDivElement>, to: number): void {
    event.preventDefault()
    if (inControl(event)) grid.current?.focus({ preventScroll: true })
    activate(to)
    scrollTo(to)
    if (event.shiftKey && props.bulk && to !== active) {
      if (active >= 0 && !selection.has(view.keys[active] ?? '')) selection.toggle(active)
      selection.range(to)
    }
  }

  function onKeyDown(event: KeyboardEvent<HTMLDivElement>): void {
    const page = Math.max(1, Math.floor(((grid.current?.clientHeight ?? 0) - HEADER_HEIGHT) / 44) - 1)
    const to = event.ctrlKey || event.metaKey || event.altKey ? null : moved(event.key, active, view.rows.length, page)
    if (to !== null) move(event, to)
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey) && props.bulk) {
      event.preventDefault()
      selection.all()
    } else if (event.key === 'Escape' && selection.count > 0) selection.clear()
    else if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
      event.preventDefault()
      menuAtRow(active)
    } else if (!inControl(event)) onRowKey(event)
  }

  function onRowKey(event: KeyboardEvent<HTMLDivElement>): void {
    const row = view.rows[active]
    if (!row) return
    if (event.key === 'Enter') open(row)
    else if (event.key === ' ' && props.bulk) choose(active, event.shiftKey)
    else return
    event.preventDefault()
  }

  function onFocus(event: { target: EventTarget }): void {
    if (event.target === grid.current && active < 0) activate(0)
  }

  return { onClick, onContextMenu, onKeyDown, onFocus }
}
