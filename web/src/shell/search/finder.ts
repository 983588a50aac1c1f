/** What can be found, and in which order it is shown. Pure. */

import type { Guest, Inventory } from '@/live/types'
import { wordOf } from '@/shell/guest'
import { guestRef, nodeRef, poolRef, type Ref, storageRef } from '@/shell/refs'
import { fuzzy } from '@/shell/search/fuzzy'

export const GROUPS = ['actions', 'guests', 'nodes', 'storage', 'pools', 'users', 'places'] as const
export type Group = (typeof GROUPS)[number]

export interface Hit {
  id: string
  group: Group
  title: string
  /** Dimmed, behind the title. */
  more?: string
  ref?: Ref
  to?: string
  run?: () => void
  /** A guest's state, to draw it. */
  status?: string
}

/** One kind of things: the texts that are searched, and what each stands for. */
export interface Stack {
  texts: string[]
  hit: (at: number) => Hit
}

export const textOf = (guest: Guest): string =>
  `${guest.name} ${guest.vmid} ${guest.tags.join(' ')} ${guest.node}${guest.pool ? ` ${guest.pool}` : ''}`

export function guestHit(guest: Guest): Hit {
  const more = [guest.node, guest.pool, ...guest.tags].filter(Boolean).join(' · ')
  const ref = guestRef(guest.vmid)
  return { id: ref, group: 'guests', title: `${guest.vmid} ${guest.name}`, more, ref, status: wordOf(guest) }
}

type Things = Pick<Inventory, 'nodeList' | 'storageList' | 'pools'>

export function thingStacks(all: Things): Stack[] {
  const nodes = all.nodeList.map(
    ({ node }): Hit => ({ id: nodeRef(node), group: 'nodes', title: node, ref: nodeRef(node) }),
  )
  const storages = all.storageList.map(({ node, storage, plugintype }): Hit => {
    const ref = storageRef(node, storage)
    return { id: ref, group: 'storage', title: storage, more: `${node} · ${plugintype}`, ref }
  })
  const pools = [...all.pools.keys()].map(
    (pool): Hit => ({ id: poolRef(pool), group: 'pools', title: pool, ref: poolRef(pool) }),
  )
  return [stackOf(nodes), stackOf(storages), stackOf(pools)]
}

/** Hits that are found by their title and what stands behind it. */
export const stackOf = (hits: readonly Hit[], words: (hit: Hit, at: number) => string = () => ''): Stack => ({
  texts: hits.map((hit, at) => `${hit.title} ${hit.more ?? ''} ${words(hit, at)}`),
  hit: (at) => hits[at] ?? { id: '', group: 'places', title: '' },
})

const MOST: Record<Group, number> = { actions: 6, guests: 12, nodes: 5, storage: 5, pools: 5, users: 5, places: 6 }

interface Scored {
  hit: Hit
  score: number
}

/** How well a title fits: 0 is the very thing, then what begins so, then what has it, then what only resembles it. */
export function likeness(title: string, needle: string): number {
  const [text, wanted] = [title.toLowerCase(), needle.trim().toLowerCase()]
  const words = text.split(/[\s·:]+/)
  if (text === wanted || words.includes(wanted)) return 0
  if (text.startsWith(wanted) || words.some((word) => word.startsWith(wanted))) return 1
  return text.includes(wanted) ? 2 : 3
}

export interface Found {
  group: Group
  hits: Hit[]
}

/** The best of each stack, and the groups with the best hits first. Where two are as good, the order of `GROUPS` counts. */
export function find(stacks: readonly Stack[], needle: string): Found[] {
  const groups = new Map<Group, Scored[]>()
  for (const stack of stacks) {
    for (const at of fuzzy(stack.texts, needle).slice(0, 40)) {
      const hit = stack.hit(at)
      const scored = { hit, score: likeness(hit.title, needle) }
      const list = groups.get(hit.group)
      if (list) list.push(scored)
      else groups.set(hit.group, [scored])
    }
  }
  const best = [...groups].map(([group, list]) => {
    const sorted = list.sort((a, b) => a.score - b.score).slice(0, MOST[group])
    return { group, score: sorted[0]?.score ?? 9, hits: sorted.map((each) => each.hit) }
  })
  best.sort((a, b) => a.score - b.score || GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group))
  return best.map(({ group, hits }) => ({ group, hits }))
}
