/** Which rows are chosen, as a set of their keys. */

export type Selection = ReadonlySet<string>
export const NOTHING: Selection = new Set()

export function toggled(selection: Selection, key: string): Selection {
  const next = new Set(selection)
  if (!next.delete(key)) next.add(key)
  return next
}

/** With all keys between two rows (shift-click), in the order that is shown; they become what the row at the end becomes. */
export function ranged(selection: Selection, keys: readonly string[], from: number, to: number): Selection {
  const next = new Set(selection)
  const add = !selection.has(keys[to] ?? '')
  for (let index = Math.min(from, to); index <= Math.max(from, to); index += 1) {
    const key = keys[index]
    if (key === undefined) continue
    if (add) next.add(key)
    else next.delete(key)
  }
  return next
}
