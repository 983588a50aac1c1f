/** All guests, nodes, storages and pools that the user may see: read once, then kept by events. */
import { useMemo } from 'react'
import { call } from '@/api/client'
import { createStore, useSelected, useStore } from '@/live/store'
import { onEvent } from '@/live/stream'
import type { ChangeEvent, Guest, Inventory, NodeRow, PoolRow, StorageRow } from '@/live/types'

const EMPTY: Inventory = { ready: false, guests: new Map(), nodes: new Map(), storages: new Map(), pools: new Map() }
export const inventory = createStore<Inventory>(EMPTY)

type Row = Record<string, unknown>
const num = (value: unknown): number => Number(value ?? 0)
const text = (value: unknown): string => String(value ?? '')
const words = (value: unknown): string[] =>
  text(value)
    .split(/[;, ]+/)
    .filter(Boolean)

function guestOf(row: Row): Guest {
  return {
    kind: 'guest',
    vmid: num(row.vmid),
    type: row.type === 'lxc' ? 'lxc' : 'qemu',
    name: text(row.name) || `VM ${row.vmid}`,
    node: text(row.node),
    status: text(row.status) || 'unknown',
    template: num(row.template) === 1,
    tags: words(row.tags),
    pool: row.pool ? text(row.pool) : undefined,
    lock: row.lock ? text(row.lock) : undefined,
    uptime: num(row.uptime),
    cpu: num(row.cpu),
    maxcpu: num(row.maxcpu),
    mem: num(row.mem),
    maxmem: num(row.maxmem),
    disk: num(row.disk),
    maxdisk: num(row.maxdisk),
    diskread: num(row.diskread),
    diskwrite: num(row.diskwrite),
    netin: num(row.netin),
    netout: num(row.netout),
  }
}

function nodeOf(row: Row): NodeRow {
  return {
    kind: 'node',
    node: text(row.node),
    status: text(row.status) || 'unknown',
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

/** The inventory that a list of resources says. */
export function inventoryOf(rows: Row[]): Inventory {
  const guests = new Map<number, Guest>()
  const nodes = new Map<string, NodeRow>()
  const storages = new Map<string, StorageRow>()
  const pools = new Map<string, PoolRow>()
  for (const row of rows) {
    if (row.type === 'qemu' || row.type === 'lxc') guests.set(num(row.vmid), guestOf(row))
    else if (row.type === 'node') nodes.set(text(row.node), nodeOf(row))
    else if (row.type === 'storage') storages.set(`${text(row.node)}/${text(row.storage)}`, storageOf(row))
    else if (row.type === 'pool') pools.set(text(row.pool), { kind: 'pool', pool: text(row.pool) })
  }
  return { ready: true, guests, nodes, storages, pools }
}

export async function loadInventory(): Promise<void> {
  inventory.set(inventoryOf((await call('GET /cluster/resources', {})) as Row[]))
}

interface StatusChange {
  kind: 'node' | 'guest' | 'storage'
  id: string
  node?: Row
  guest?: Row
  storage?: Row
}

function applyStatus(changes: StatusChange[]): void {
  const now = inventory.get()
  if (!now.ready) return
  const guests = new Map(now.guests)
  const nodes = new Map(now.nodes)
  for (const change of changes) {
    if (change.kind === 'guest') {
      const before = guests.get(Number(change.id))
      if (before && change.guest) {
        const { vmid: _, name: __, tags: ___, ...status } = change.guest
        guests.set(before.vmid, {
          ...before,
          cpu: 0,
          mem: 0,
          uptime: 0,
          status: 'stopped',
          qmpstatus: undefined,
          ...status,
        } as Guest)
      }
    } else if (change.kind === 'node') {
      const before = nodes.get(change.id)
      if (before && change.node) nodes.set(change.id, { ...before, status: 'online', ...change.node } as NodeRow)
    }
  }
  inventory.set({ ...now, guests, nodes })
}

/** Keep the inventory; answers the function that ends it. */
export function startInventory(): () => void {
  let timer = 0
  const soon = () => {
    window.clearTimeout(timer)
    timer = window.setTimeout(() => void loadInventory().catch(() => undefined), 150)
  }
  soon()
  return onEvent((event) => {
    if (event.kind === 'reset' || event.kind === 'ready') soon()
    else if (event.kind === 'status') applyStatus(event.data as StatusChange[])
    else if (event.kind === 'change') {
      const { records } = event.data as ChangeEvent
      if (records.some(({ key }) => /^(guest\/|storage\.cfg|user\.cfg|node\/)/.test(key))) soon()
    }
  })
}

export const useInventory = (): Inventory => useStore(inventory)
export const useGuest = (vmid: number): Guest | undefined => useSelected(inventory, (all) => all.guests.get(vmid))
export const useNode = (node: string): NodeRow | undefined => useSelected(inventory, (all) => all.nodes.get(node))

/** All guests in order of their number. */
export function useGuests(): Guest[] {
  const guests = useSelected(inventory, (all) => all.guests)
  return useMemo(() => [...guests.values()].sort((a, b) => a.vmid - b.vmid), [guests])
}

export function useNodes(): NodeRow[] {
  const nodes = useSelected(inventory, (all) => all.nodes)
  return useMemo(() => [...nodes.values()].sort((a, b) => a.node.localeCompare(b.node)), [nodes])
}

export function useStorages(): StorageRow[] {
  const storages = useSelected(inventory, (all) => all.storages)
  return useMemo(() => [...storages.values()].sort((a, b) => a.id.localeCompare(b.id)), [storages])
}
