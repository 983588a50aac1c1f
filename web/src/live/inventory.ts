/** All guests, nodes, storages and pools that the user may see: read once, then kept by events. */
import { call } from '@/api/client'
import { batched } from '@/live/frame'
import {
  afterStatus,
  EMPTY,
  guestOf,
  inventoryOf,
  type Row,
  type StatusChange,
  type Tables,
  withGuest,
  withLife,
  withSilence,
} from '@/live/rows'
import { createStore, useSelected, useStore } from '@/live/store'
import { connection, onEvent, onJoin, type StreamEvent } from '@/live/stream'
import type { ChangeEvent, Guest, Inventory, NodeRow, StorageRow } from '@/live/types'

export { inventoryOf } from '@/live/rows'

export const inventory = createStore<Tables>(EMPTY)

/** Whole lists are read at most so often (ms); events in between are waited for. */
const BETWEEN = 2000
const SOON = 150
/** So much longer (ms) is waited after a failure, unless the connection comes back before. */
const AFTER_FAILURE = 8000
/** Up to so many guests that changed are read one by one. */
const FEW = 8

class Keeper {
  #status = new Map<string, StatusChange>()
  /** What came while a list was being read, which may be older than it. */
  #during: StatusChange[] | null = null
  #guests = new Set<number>()
  #all = false
  #timer = 0
  #loaded = 0
  #ended = false
  readonly #frame = batched(() => this.#flush())

  hear(event: StreamEvent): void {
    if (event.kind === 'reset' || event.kind === 'ready') this.reload()
    else if (event.kind === 'status') this.#take(event.data as StatusChange[])
    else if (event.kind === 'change') this.#changed((event.data as ChangeEvent).records)
  }

  /** Read the whole list soon. */
  reload(): void {
    this.#all = true
    this.#soon()
  }

  /** The node answers again. */
  reconnected(): void {
    if (!this.#all || this.#during) return
    this.#loaded = 0
    window.clearTimeout(this.#timer)
    this.#timer = 0
    this.#soon()
  }

  end(): void {
    this.#ended = true
    this.#frame.cancel()
    window.clearTimeout(this.#timer)
  }

  #take(changes: StatusChange[]): void {
    this.#during?.push(...changes)
    for (const change of changes) this.#status.set(`${change.kind}/${change.id}`, change)
    this.#frame.ask()
  }

  #flush(): void {
    if (!inventory.get().ready) return // they wait for the list
    const { after, strange } = afterStatus(inventory.get(), this.#status.values(), Date.now())
    this.#status.clear()
    inventory.set(after)
    for (const { kind, id } of strange) {
      if (kind === 'guest') this.#guests.add(Number(id))
      else this.#all = true
    }
    if (strange.length > 0) this.#soon()
  }

  #changed(records: ChangeEvent['records']): void {
    for (const { key, action } of records) {
      if (/^(storage\.cfg|user\.cfg|node\/)/.test(key)) this.#all = true
      else if (!key.startsWith('guest/')) continue
      else if (action === 'delete') {
        this.#guests.delete(Number(key.slice(6)))
        inventory.set(withGuest(inventory.get(), Number(key.slice(6)), null))
      } else this.#guests.add(Number(key.slice(6)))
    }
    if (this.#all || this.#guests.size > 0) this.#soon()
  }

  #soon(): void {
    if (this.#timer || this.#ended) return
    const whole = this.#all || this.#guests.size > FEW
    const wait = whole ? Math.max(SOON, this.#loaded + BETWEEN - Date.now()) : SOON
    this.#timer = window.setTimeout(() => void this.#read(), wait)
  }

  async #read(): Promise<void> {
    const [whole, guests] = [this.#all || this.#guests.size > FEW, [...this.#guests]]
    if (whole && Date.now() < this.#loaded + BETWEEN) {
      this.#timer = 0
      this.#soon() // it became the whole list while a short wait was on
      return
    }
    this.#all = false
    this.#guests.clear()
    try {
      if (whole || !inventory.get().ready) await this.#list()
      else if (!(await this.#each(guests))) this.#all = true
    } catch {
      this.#all = true
      this.#loaded = Date.now() + AFTER_FAILURE
    }
    this.#timer = 0
    if (this.#all || this.#guests.size > 0) this.#soon()
  }

  async #list(): Promise<void> {
    this.#loaded = Date.now()
    const during: StatusChange[] = []
    this.#during = during
    let rows: Row[]
    try {
      rows = (await call('GET /cluster/resources', {})) as Row[]
    } finally {
      this.#during = null
    }
    if (this.#ended) return
    const fresh = inventoryOf(rows, inventory.get())
    const missed = [...this.#status.values(), ...during]
    this.#status.clear()
    inventory.set(afterStatus(fresh, missed, Date.now()).after)
  }

  /** Read some guests' rows; false where that is not enough. */
  async #each(vmids: number[]): Promise<boolean> {
    const done = await Promise.all(vmids.map((vmid) => readGuest(vmid)))
    return done.every(Boolean)
  }
}

async function readGuest(vmid: number): Promise<boolean> {
  const known = inventory.get()
  const before = known.guests.get(vmid)
  const node = before?.node ?? (known.nodes.size === 1 ? known.nodeList[0]?.node : undefined)
  if (!node || before?.type === 'lxc') return false
  try {
    const row = (await call('GET /nodes/{node}/qemu/{vmid}/status/current', { node, vmid })) as Row
    const now = inventory.get().guests.get(vmid)
    const guest = guestOf({ ...row, type: 'qemu', node, maxcpu: row.cpus, pool: before?.pool }, now)
    const qmpstatus = row.qmpstatus ? String(row.qmpstatus) : undefined
    inventory.set(withGuest(inventory.get(), vmid, now ? withLife(guest, now) : { ...guest, qmpstatus }))
    return true
  } catch {
    return false
  }
}

/** QEMU's own words, which the list of resources leaves out, for a tab that joins. */
function words(): StreamEvent | null {
  const told = inventory.get().guestList.filter((guest) => guest.qmpstatus && guest.qmpstatus !== guest.status)
  const data = told.map((guest) => ({ kind: 'guest', id: String(guest.vmid), guest }))
  return data.length > 0 ? { kind: 'status', id: '', data } : null
}

/** Keep the inventory; answers the function that ends it. */
export function startInventory(): () => void {
  const mine = new Keeper()
  const silence = window.setInterval(() => {
    if (connection.get().kind === 'live') inventory.set(withSilence(inventory.get(), Date.now()))
  }, 10_000)
  const stops = [
    onEvent((event) => mine.hear(event)),
    onJoin(words),
    connection.subscribe(() => {
      if (connection.get().kind === 'live') mine.reconnected()
    }),
  ]
  mine.reload()
  return () => {
    mine.end()
    window.clearInterval(silence)
    for (const stop of stops) stop()
    inventory.set(EMPTY)
  }
}

export const useInventory = (): Inventory => useStore(inventory)
export const useGuest = (vmid: number): Guest | undefined => useSelected(inventory, (all) => all.guests.get(vmid))
export const useNode = (node: string): NodeRow | undefined => useSelected(inventory, (all) => all.nodes.get(node))
export const useStorage = (id: string): StorageRow | undefined => useSelected(inventory, (all) => all.storages.get(id))

/** All guests in order of their number. */
export const useGuests = (): readonly Guest[] => useSelected(inventory, (all) => all.guestList)
export const useNodes = (): readonly NodeRow[] => useSelected(inventory, (all) => all.nodeList)
export const useStorages = (): readonly StorageRow[] => useSelected(inventory, (all) => all.storageList)
