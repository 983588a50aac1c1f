/**
 * The tree: only the rows that are seen are in the page, however many guests there are. The tree as a whole has the focus
 * and names its active row, so a row that scrolls away takes no focus with it.
 */
import { useNavigate } from '@tanstack/react-router'
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useCallback, useEffect, useRef, useState } from 'react'
import { type Ref, targetOf } from '@/shell/refs'
import type { Item } from '@/shell/tree/forest'
import { type Move, moveFor, typeAhead } from '@/shell/tree/keys'
import classes from '@/shell/tree/Tree.module.css'
import { type At, TreeMenu } from '@/shell/tree/TreeMenu'
import { TreeRow } from '@/shell/tree/TreeRow'

const HEIGHT = 28
const TOUCH = 40
const PATIENCE = 700
const rowHeight = (): number => (window.matchMedia('(hover: none)').matches ? TOUCH : HEIGHT)
const idOf = (item: Item): string => `tree-${item.branch.id}`

interface Props {
  label: string
  items: readonly Item[]
  current: Ref | null
  onToggle: (item: Item) => void
}

export function Tree({ label, items, current, onToggle }: Props) {
  const navigate = useNavigate()
  const scroll = useRef<HTMLDivElement>(null)
  const [activeId, setActiveId] = useState<string | null>(null)
  const [menu, setMenu] = useState<At | null>(null)
  const typed = useTyped()
  const size = rowHeight()
  const found = items.findIndex((item) => item.branch.id === activeId)
  const active = found >= 0 ? found : Math.max(0, placeOf(items, current))
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => size,
    overscan: 6,
    // The active row is named by the tree, so it is always there.
    rangeExtractor: (range) => [...new Set([...defaultRangeExtractor(range), active])].filter((at) => items[at]),
  })
  useReveal(items, current, (index) => {
    const seen = rows.range
    // In the middle, not at the edge: rows that come above it must not push it out of sight.
    if (!seen || index <= seen.startIndex || index >= seen.endIndex) rows.scrollToIndex(index, { align: 'center' })
  })

  const latest = useRef(items)
  latest.current = items
  const toggle = useCallback(
    (index: number) => {
      const item = latest.current[index]
      if (item?.branch.children) onToggle(item)
    },
    [onToggle],
  )
  const setActive = useCallback((index: number) => setActiveId(latest.current[index]?.branch.id ?? null), [])
  const openMenu = useCallback((index: number, x: number, y: number) => {
    const of = latest.current[index]?.branch.ref
    if (of) setMenu({ of, x, y })
  }, [])

  function perform(move: Move): void {
    const item = items[move.index]
    setActive(move.index)
    rows.scrollToIndex(move.index, { align: 'auto' })
    if (move.kind === 'toggle') toggle(move.index)
    else if (move.kind === 'open' && item?.branch.ref) void navigate(targetOf(item.branch.ref))
    else if (move.kind === 'menu') {
      const at = document.getElementById(item ? idOf(item) : '')?.getBoundingClientRect()
      if (at) openMenu(move.index, at.left + 40, at.bottom)
    }
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget) return
    const page = Math.max(1, Math.floor((scroll.current?.clientHeight ?? size) / size) - 1)
    let move = moveFor(items, active, event, page)
    if (!move && /^[\p{L}\p{N}._-]$/u.test(event.key)) {
      const index = typeAhead(items, active, typed(event.key))
      if (index >= 0) move = { kind: 'go', index }
      event.preventDefault()
    }
    if (!move) return
    event.preventDefault()
    perform(move)
  }

  const seen = rows.getVirtualItems()
  const activeItem = seen.some((row) => row.index === active) ? items[active] : undefined
  return (
    <div ref={scroll} className={classes.scroll}>
      <div
        role="tree"
        aria-label={label}
        tabIndex={0}
        aria-activedescendant={activeItem ? idOf(activeItem) : undefined}
        className={classes.tree}
        style={{ height: rows.getTotalSize() }}
        onKeyDown={onKeyDown}
        onFocus={(event) => {
          if (event.target === event.currentTarget) rows.scrollToIndex(active, { align: 'auto' })
        }}
        data-testid="tree"
      >
        {seen.map(({ index, start }) => {
          const item = items[index]
          if (!item) return null
          return (
            <TreeRow
              key={item.branch.id}
              id={idOf(item)}
              item={item}
              index={index}
              top={start}
              active={index === active}
              current={item.branch.ref !== undefined && item.branch.ref === current}
              onToggle={toggle}
              onMenu={openMenu}
              onActive={setActive}
            />
          )
        })}
      </div>
      <TreeMenu at={menu} onClose={() => setMenu(null)} />
    </div>
  )
}

/** Letters typed one soon after the other make one word. */
function useTyped(): (key: string) => string {
  const word = useRef('')
  const timer = useRef(0)
  useEffect(() => () => window.clearTimeout(timer.current), [])
  return (key) => {
    window.clearTimeout(timer.current)
    timer.current = window.setTimeout(() => {
      word.current = ''
    }, PATIENCE)
    word.current = word.current === key ? key : word.current + key
    return word.current
  }
}

/** The row of a thing where it belongs, not among what is remembered of it. */
const placeOf = (items: readonly Item[], ref: Ref | null): number =>
  items.findIndex((item) => item.branch.ref === ref && !/^(favourites|recent)>/.test(item.branch.id))

/** Scroll to the page's own row when another page is opened, not whenever rows change. */
function useReveal(items: readonly Item[], current: Ref | null, scrollTo: (index: number) => void): void {
  const done = useRef<Ref | null>(null)
  useEffect(() => {
    if (!current || done.current === current) return
    const index = placeOf(items, current)
    if (index < 0) return
    done.current = current
    scrollTo(index)
  })
}
