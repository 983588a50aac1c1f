import type { Guest, NodeRow } from '@/live/types'

/** A node with the number of its guests. */
export interface NodeEntry extends NodeRow {
  guests: number
  running: number
}

/** Nodes with how many guests each has; templates are no guests. */
export function nodeEntries(nodes: readonly NodeRow[], guests: Iterable<Guest>): NodeEntry[] {
  const counts = new Map<string, { guests: number; running: number }>()
  for (const { node, status, template } of guests) {
    const count = counts.get(node) ?? { guests: 0, running: 0 }
    if (!template) count.guests += 1
    if (status === 'running') count.running += 1
    counts.set(node, count)
  }
  return nodes.map((node) => ({ ...node, ...(counts.get(node.node) ?? { guests: 0, running: 0 }) }))
}
