/** Sizes of a table's parts; the header and all rows share one grid template. */

import type { Density } from './settings'
import type { Column } from './types'

export const SELECT_WIDTH = 44
export const ACTIONS_WIDTH = 46
const DEFAULT_WIDTH = 120
const MIN_WIDTH = 48

export const ROW_HEIGHT: Record<Density, number> = { comfortable: 44, compact: 32 }
export const CARD_HEIGHT = 68
export const HEADER_HEIGHT = 40

export const widthOf = (column: Column<never>, widths: Readonly<Record<string, number>>): number =>
  Math.max(MIN_WIDTH, widths[column.id] ?? column.width ?? DEFAULT_WIDTH)

export interface Layout {
  template: string
  minWidth: number
}

/** The grid of the columns, with room for the checkbox and the row's buttons. */
export function layoutOf(
  columns: readonly Column<never>[],
  widths: Readonly<Record<string, number>>,
  selectable: boolean,
  actionsWidth: number,
): Layout {
  const tracks: string[] = []
  let minWidth = 0
  const add = (track: string, width: number) => {
    tracks.push(track)
    minWidth += width
  }
  if (selectable) add(`${SELECT_WIDTH}px`, SELECT_WIDTH)
  for (const column of columns) {
    const width = widthOf(column, widths)
    const rigid = column.fixed || widths[column.id] !== undefined
    add(rigid ? `${width}px` : `minmax(${width}px, ${width}fr)`, width)
  }
  const elastic = tracks.some((track) => track.endsWith('fr)'))
  if (actionsWidth > 0) add(elastic ? `${actionsWidth}px` : `minmax(${actionsWidth}px, 1fr)`, actionsWidth)
  else if (!elastic) tracks.push('1fr')
  return { template: tracks.join(' '), minWidth }
}

const OVERSCAN = 8

/**
 * Which rows are in the page: those in sight and some around them, always the same number, so that rows that leave can be
 * redrawn as those that come. Answers the first one and the size, never smaller than `before`.
 */
export function windowOf(start: number, end: number, count: number, before = 0): { from: number; size: number } {
  const seen = end - start + 1
  const size = Math.max(before, seen + 2 * OVERSCAN)
  const from = Math.max(0, Math.min(start - Math.floor((size - seen) / 2), count - size))
  return { from, size }
}
