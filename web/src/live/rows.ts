/** What the API's rows and the status events say, as the inventory's things. Pure. */
import { same, Table } from '@/live/table'
import type { Guest, Inventory, NodeRow, PoolRow, StorageRow } from '@/live/types'

export type Row = Record<string, unknown>

/** A difference as the node sends it; none of the three: the thing is gone. Fields at their default are left out. */
export interface StatusChange {
  kind: 'node' | 'guest' | 'storage'
  id: string
  node?: Row
  guest?: Row
  storage?: Row
}

const num = (value: unknown): number => Number(value ?? 0)
const text = (value: unknown): string => String(value ?? '')
const words = (value: unknown): string[] =>
  text(value)
    .split(/[;, ]+/)
    .filter(Boolean)

const counters = (row: Row) => ({
  uptime: num(row.uptime),
  cpu: num(row.cpu),
  mem: num(row.mem),
  disk: num(row.disk),
  diskread: num(row.diskread),
  diskwrite: num(row.diskwrite),
  netin: num(row.netin),
  netout: num(row.netout),
})

/** A guest from its row; what only events tell is taken from `before`. */
export function guestOf(row: Row, before?: Guest): Guest {
  const status = text(row.status) || 'unknown'
  return {
    kind: 'guest',
    vmid: num(row.vmid),
    type: row.type === 'lxc' ? 'lxc' : 'qemu',
    name: text(row.name) || `VM ${row.vmid}`,
    node: text(row.node),
    status,
    qmpstatus: before?.status === status ? before.qmpstatus : undefined,
    template: num(row.template) === 1,
    tags: words(row.tags),
    pool: row.pool ? text(row.pool) : undefined,
    lock: row.lock ? text(row.lock) : undefined,
    maxcpu: num(row.maxcpu),
    maxmem: num(row.maxmem),
    maxdisk: num(row.maxdisk),
    ...counters(row),
  }
}

/**
 * A guest that was read by itself: what it is called and made of is the row's. How it is doing is what events have told,
 * which may be newer than the answer.
 */
export function withLife(read: Guest, told: Guest): Guest {
  if (told.status === 'unknown') return read
  const { status, qmpstatus, uptime, cpu, mem, disk, diskread, diskwrite, netin, netout } = told
  return { ...read, status, qmpstatus, uptime, cpu, mem, disk, diskread, diskwrite, netin, netout }
}

function nodeOf(row: Row, before?: NodeRow): NodeRow {
  return {
    kind: 'node',
    node: text(row.node),
    status: text(row.status) || 'unknown',
    seen: before?.seen ?? 0,
    uptime: num(row.uptime),
    cpu: num(row.cpu),
    maxcpu: num(row.maxcpu),
    mem: num(row.mem),
    maxmem: num(row.maxmem),
    disk: num(row.disk),
    maxdisk: num(row.maxdisk),
  }
}

function storageOf(row: Row): StorageRow {
  return {
    kind: 'storage',
    id: `${text(row.node)}/${text(row.storage)}`,
    storage: text(row.storage),
    node: text(row.node),
    plugintype: text(row.plugintype),
    content: words(row.content),
    shared: num(row.shared) === 1,
    status: text(row.status) || 'unknown',
    disk: num(row.disk),
    maxdisk: num(row.maxdisk),
  }
}

type Guests = Table<number, Guest>
type Nodes = Table<string, NodeRow>
type Storages = Table<string, StorageRow>
type Pools = Table<string, PoolRow>

export interface Tables extends Inventory {
  guests: Guests
  nodes: Nodes
  storages: Storages
  pools: Pools
}

function tables(ready: boolean, shape: number, guests: Guests, nodes: Nodes, storages: Storages, pools: Pools): Tables {
  const lists = { guestList: guests.list, nodeList: nodes.list, storageList: storages.list }
  return { ready, shape, guests, nodes, storages, pools, ...lists }
}

const guestTable = (rows: Iterable<Guest>): Guests => Table.of(rows, (row) => row.vmid)

/** Nothing yet. */
export const EMPTY: Tables = tables(
  false,
  0,
  guestTable([]),
  Table.of<string, NodeRow>([], (row) => row.node),
  Table.of<string, StorageRow>([], (row) => row.id),
  Table.of<string, PoolRow>([], (row) => row.pool),
)

/** What makes up lists and trees; a guest that only works harder has the same. */
const shapeOf = (guest: Guest): string =>
  `${guest.vmid} ${guest.name} ${guest.node} ${guest.pool ?? ''} ${guest.tags.join(',')} ${guest.template}`

const sameShape = (before: Guest | undefined, after: Guest): boolean =>
  before === after || (before !== undefined && shapeOf(before) === shapeOf(after))

/** The inventory that a list of resources says; rows that say what was known keep their object. */
export function inventoryOf(rows: Row[], before: Tables = EMPTY): Tables {
  let moved = !before.ready
  const keep = <T extends object>(old: T | undefined, made: T): T => (old && same(old, made) ? old : made)
  const guests: Guest[] = []
  const nodes: NodeRow[] = []
  const storages: StorageRow[] = []
  const pools: PoolRow[] = []
  for (const row of rows) {
    if (row.type === 'qemu' || row.type === 'lxc') {
      const old = before.guests.get(num(row.vmid))
      const guest = keep(old, guestOf(row, old))
      moved ||= !sameShape(old, guest)
      guests.push(guest)
    } else if (row.type === 'node') {
      const old = before.nodes.get(text(row.node))
      nodes.push(keep(old, nodeOf(row, old)))
    } else if (row.type === 'storage') {
      const made = storageOf(row)
      storages.push(keep(before.storages.get(made.id), made))
    } else if (row.type === 'pool') pools.push({ kind: 'pool', pool: text(row.pool) })
  }
  const lengths = [guests, nodes, storages, pools].map((each) => each.length).join()
  moved ||= lengths !== [before.guests, before.nodes, before.storages, before.pools].map((each) => each.size).join()
  return tables(
    true,
    moved ? before.shape + 1 : before.shape,
    guestTable(guests),
    Table.of(nodes, (row) => row.node),
    Table.of(storages, (row) => row.id),
    Table.of(pools, (row) => row.pool),
  )
}

function guestNow(before: Guest, row: Row | undefined): Guest {
  if (!row) return { ...before, status: 'stopped', qmpstatus: undefined, ...counters({}) }
  return {
    ...before,
    node: text(row.node) || before.node,
    status: text(row.status) || 'stopped',
    qmpstatus: text(row.qmpstatus) || undefined,
    maxcpu: num(row.maxcpu) || before.maxcpu,
    maxmem: num(row.maxmem) || before.maxmem,
    maxdisk: num(row.maxdisk) || before.maxdisk,
    ...counters(row),
  }
}

function nodeNow(before: NodeRow, row: Row | undefined, at: number): NodeRow {
  if (!row) return { ...before, status: 'offline' }
  return { ...nodeOf({ ...row, node: before.node, status: row.status ?? 'online' }), seen: at }
}

function storageNow(before: StorageRow, row: Row | undefined): StorageRow {
  if (!row) return { ...before, status: 'unknown' }
  return {
    ...before,
    plugintype: text(row.plugin) || 'dir',
    content: words(row.content),
    shared: row.shared === true,
    status: row.active === false ? 'unknown' : 'available',
    disk: num(row.used),
    maxdisk: num(row.total),
  }
}

/** The inventory after differences of status, and what they name that it does not know. */
export function afterStatus(
  before: Tables,
  changes: Iterable<StatusChange>,
  at: number,
): { after: Tables; strange: StatusChange[] } {
  const guests = new Map<number, Guest>()
  const nodes = new Map<string, NodeRow>()
  const storages = new Map<string, StorageRow>()
  const strange: StatusChange[] = []
  let moved = false
  for (const change of changes) {
    if (change.kind === 'guest') {
      const old = before.guests.get(Number(change.id))
      if (!old) strange.push(change)
      else {
        const made = guestNow(old, change.guest)
        if (same(old, made)) continue
        moved ||= old.node !== made.node
        guests.set(old.vmid, made)
      }
    } else if (change.kind === 'node') {
      const old = before.nodes.get(change.id)
      if (old) nodes.set(change.id, nodeNow(old, change.node, at))
      else strange.push(change)
    } else {
      const old = before.storages.get(change.id)
      if (!old) strange.push(change)
      else {
        const made = storageNow(old, change.storage)
        if (!same(old, made)) storages.set(change.id, made)
      }
    }
  }
  if (guests.size + nodes.size + storages.size === 0) return { after: before, strange }
  const after = tables(
    before.ready,
    moved ? before.shape + 1 : before.shape,
    before.guests.with(guests),
    before.nodes.with(nodes),
    before.storages.with(storages),
    before.pools,
  )
  return { after, strange: strange.filter((change) => change[change.kind]) }
}

/** The inventory with a guest's row read again, or without it. */
export function withGuest(before: Tables, vmid: number, guest: Guest | null): Tables {
  const old = before.guests.get(vmid)
  if (guest && old) {
    if (same(old, guest)) return before
    const shape = sameShape(old, guest) ? before.shape : before.shape + 1
    const guests = before.guests.with(new Map([[vmid, guest]]))
    return tables(before.ready, shape, guests, before.nodes, before.storages, before.pools)
  }
  if (!guest && !old) return before
  const rest = before.guests.list.filter((each) => each.vmid !== vmid)
  const guests = guestTable(guest ? [...rest, guest] : rest)
  return tables(before.ready, before.shape + 1, guests, before.nodes, before.storages, before.pools)
}

export const SILENT = 60_000

/** The inventory in which nodes that have been silent for a minute are offline. */
export function withSilence(before: Tables, at: number): Tables {
  const silent = before.nodes.list.filter((row) => row.seen > 0 && row.status === 'online' && at - row.seen > SILENT)
  if (silent.length === 0) return before
  const nodes = before.nodes.with(new Map(silent.map((row) => [row.node, { ...row, status: 'offline' }])))
  return tables(before.ready, before.shape, before.guests, nodes, before.storages, before.pools)
}
