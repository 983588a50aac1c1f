/** What keys do in the tree, as the pattern for trees says. Pure. */

import { parts } from '@/shell/refs'
import type { Item } from '@/shell/tree/forest'

export type Move =
  | { kind: 'go'; index: number }
  | { kind: 'toggle'; index: number }
  | { kind: 'open'; index: number }
  | { kind: 'menu'; index: number }

export interface Pressed {
  key: string
  shiftKey: boolean
}

const go = (items: readonly Item[], index: number): Move | null =>
  items.length === 0 ? null : { kind: 'go', index: Math.min(Math.max(index, 0), items.length - 1) }

/** What a key does at a row; null: nothing of ours. `page` is how many rows are seen. */
export function moveFor(items: readonly Item[], index: number, { key, shiftKey }: Pressed, page: number): Move | null {
  const item = items[index]
  if (!item) return go(items, 0)
  if (key === 'ArrowDown') return go(items, index + 1)
  if (key === 'ArrowUp') return go(items, index - 1)
  if (key === 'Home') return go(items, 0)
  if (key === 'End') return go(items, items.length - 1)
  if (key === 'PageDown') return go(items, index + page)
  if (key === 'PageUp') return go(items, index - page)
  if (key === 'ContextMenu' || (key === 'F10' && shiftKey)) return { kind: 'menu', index }
  if (key === 'Enter') return { kind: item.branch.ref ? 'open' : 'toggle', index }
  if (key === ' ') return { kind: item.branch.children ? 'toggle' : 'open', index }
  if (key === 'ArrowRight')
    return item.expanded === false ? { kind: 'toggle', index } : item.expanded ? go(items, index + 1) : null
  if (key !== 'ArrowLeft') return null
  if (item.expanded) return { kind: 'toggle', index }
  const parent = items.findIndex((each) => each.branch.id === item.parent)
  return parent < 0 ? null : go(items, parent)
}

/** The next row (from the present one on, round the end) whose name or number starts with what was typed. */
export function typeAhead(items: readonly Item[], index: number, typed: string): number {
  const wanted = typed.toLowerCase()
  const first = typed.length === 1 ? 1 : 0 // the same letter again goes on to the next
  for (let step = first; step < items.length + first; step += 1) {
    const at = (index + step) % items.length
    const branch = items[at]?.branch
    if (!branch) continue
    if (branch.label.toLowerCase().startsWith(wanted)) return at
    if (branch.kind === 'guest' && parts(branch.ref ?? '')[1].startsWith(wanted)) return at
  }
  return -1
}
