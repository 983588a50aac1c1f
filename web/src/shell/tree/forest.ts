/** The tree's branches out of the inventory, in four views; flattened to the rows that are shown. Pure. */
import type { Guest, Inventory } from '@/live/types'
import { guestRef, nodeRef, parts, poolRef, type Ref, storageRef } from '@/shell/refs'

export const VIEWS = ['server', 'pools', 'tags', 'storage'] as const
export type View = (typeof VIEWS)[number]

export type BranchKind = 'favourites' | 'recent' | 'node' | 'storage' | 'pool' | 'tag' | 'rest' | 'guest'

export interface Branch {
  /** Unique in the tree: the same guest may stand below several tags. */
  id: string
  kind: BranchKind
  label: string
  ref?: Ref
  children?: Branch[]
}

/** What the tree calls things that have no name of their own. */
export interface Words {
  favourites: string
  recent: string
  noPool: string
  noTags: string
}

type Facts = Pick<Inventory, 'guestList' | 'nodeList' | 'storageList' | 'guests' | 'pools'>

const leaf = (under: string, guest: Guest): Branch => ({
  id: `${under}>${guest.vmid}`,
  kind: 'guest',
  label: guest.name,
  ref: guestRef(guest.vmid),
})

const byLabel = new Intl.Collator('en', { numeric: true })
const sorted = (branches: Branch[]): Branch[] => branches.sort((a, b) => byLabel.compare(a.label, b.label))

function grouped(guests: readonly Guest[], keys: (guest: Guest) => readonly string[]): Map<string, Guest[]> {
  const groups = new Map<string, Guest[]>()
  for (const guest of guests) {
    for (const key of keys(guest)) {
      const group = groups.get(key)
      if (group) group.push(guest)
      else groups.set(key, [guest])
    }
  }
  return groups
}

function byServer(facts: Facts): Branch[] {
  const guests = grouped(facts.guestList, (guest) => [guest.node])
  return facts.nodeList.map(({ node }) => {
    const storages = facts.storageList.filter((each) => each.node === node)
    return {
      id: nodeRef(node),
      kind: 'node',
      label: node,
      ref: nodeRef(node),
      children: [
        ...(guests.get(node) ?? []).map((guest) => leaf(nodeRef(node), guest)),
        ...storages.map(({ storage }) => storageLeaf(nodeRef(node), node, storage, storage)),
      ],
    }
  })
}

function storageLeaf(under: string, node: string, storage: string, label: string): Branch {
  const ref = storageRef(node, storage)
  return { id: `${under}>${ref}`, kind: 'storage', label, ref }
}

/** Pools lie in one another by the slashes in their names. */
function byPool(facts: Facts, words: Words): Branch[] {
  const guests = grouped(facts.guestList, (guest) => [guest.pool ?? ''])
  const known = new Map<string, Branch & { children: Branch[] }>()
  const roots: Branch[] = []
  for (const pool of [...facts.pools.keys()].sort(byLabel.compare)) {
    const parent = known.get(pool.slice(0, Math.max(0, pool.lastIndexOf('/'))))
    const id = poolRef(pool)
    const label = parent ? pool.slice(pool.lastIndexOf('/') + 1) : pool
    const branch = { id, kind: 'pool' as const, label, ref: id, children: [] as Branch[] }
    known.set(pool, branch)
    ;(parent?.children ?? roots).push(branch)
  }
  for (const [pool, branch] of known)
    branch.children.push(...(guests.get(pool) ?? []).map((each) => leaf(branch.id, each)))
  return [...roots, ...rest('pools', words.noPool, guests.get(''))]
}

function rest(view: View, label: string, guests: Guest[] = []): Branch[] {
  if (guests.length === 0) return []
  const id = `${view}/rest`
  return [{ id, kind: 'rest', label, children: guests.map((guest) => leaf(id, guest)) }]
}

function byTag(facts: Facts, words: Words): Branch[] {
  const groups = grouped(facts.guestList, (guest) => (guest.tags.length > 0 ? guest.tags : ['']))
  const none = groups.get('')
  groups.delete('')
  const tags = [...groups].map(([tag, guests]): Branch => {
    const id = `tag/${tag}`
    return { id, kind: 'tag', label: tag, children: guests.map((guest) => leaf(id, guest)) }
  })
  return [...sorted(tags), ...rest('tags', words.noTags, none)]
}

/** A storage that is on one node only is a leaf. */
function byStorage(facts: Facts): Branch[] {
  const nodes = new Map<string, string[]>()
  for (const { storage, node } of facts.storageList) nodes.set(storage, [...(nodes.get(storage) ?? []), node])
  const branches = [...nodes].map(([storage, on]): Branch => {
    const [only] = on
    if (on.length === 1 && only !== undefined) return storageLeaf('storage', only, storage, storage)
    const id = `storages/${storage}`
    return { id, kind: 'storage', label: storage, children: on.map((node) => storageLeaf(id, node, storage, node)) }
  })
  return sorted(branches)
}

function remembered(facts: Facts, kind: 'favourites' | 'recent', label: string, refs: readonly Ref[]): Branch[] {
  const children = refs.flatMap((ref): Branch[] => {
    const [family, name, more] = parts(ref)
    const id = `${kind}>${ref}`
    if (family === 'guest') {
      const guest = facts.guests.get(Number(name))
      return guest ? [{ id, kind: 'guest', label: guest.name, ref }] : []
    }
    if (family === 'storage') return [{ id, kind: 'storage', label: more, ref }]
    return [{ id, kind: family === 'node' ? 'node' : 'pool', label: name, ref }]
  })
  return children.length > 0 ? [{ id: kind, kind, label, children }] : []
}

const VIEW = { server: byServer, pools: byPool, tags: byTag, storage: byStorage }

export function forest(
  facts: Facts,
  view: View,
  words: Words,
  favourites: readonly Ref[],
  recent: readonly Ref[],
): Branch[] {
  return [
    ...remembered(facts, 'favourites', words.favourites, favourites),
    ...remembered(facts, 'recent', words.recent, recent),
    ...VIEW[view](facts, words),
  ]
}

/** The branches that have all words of the filter in number or name, or below which there are some. */
export function filtered(branches: readonly Branch[], filter: string): Branch[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return [...branches]
  const fits = (branch: Branch): boolean => {
    const text = `${branch.kind === 'guest' ? parts(branch.ref ?? '')[1] : ''} ${branch.label}`.toLowerCase()
    return words.every((word) => text.includes(word))
  }
  const look = (branch: Branch): Branch[] => {
    if (!branch.children) return fits(branch) ? [branch] : []
    const children = branch.children.flatMap(look)
    if (children.length > 0) return [{ ...branch, children }]
    return fits(branch) ? [branch] : []
  }
  return branches.filter((each) => each.kind !== 'recent').flatMap(look)
}

/** A row as it is shown. */
export interface Item {
  branch: Branch
  /** From 1. */
  level: number
  at: number
  of: number
  /** Unset for leaves. */
  expanded?: boolean
  parent?: string
}

/** The rows of all expanded branches. */
export function flatten(branches: readonly Branch[], expanded: (branch: Branch, level: number) => boolean): Item[] {
  const items: Item[] = []
  const walk = (list: readonly Branch[], level: number, parent?: string): void => {
    list.forEach((branch, index) => {
      const open = branch.children ? expanded(branch, level) : undefined
      items.push({ branch, level, at: index + 1, of: list.length, expanded: open, parent })
      if (open && branch.children) walk(branch.children, level + 1, branch.id)
    })
  }
  walk(branches, 1)
  return items
}
