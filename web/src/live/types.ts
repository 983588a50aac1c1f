/** What the inventory knows of a thing; sizes in bytes, `cpu` a fraction of `maxcpu`, `uptime` in seconds. */
export interface Guest {
  kind: 'guest'
  vmid: number
  type: 'qemu' | 'lxc'
  name: string
  node: string
  /** `running`, `stopped` or `unknown`; what QEMU itself says (`paused`) is in `qmpstatus`. */
  status: string
  qmpstatus?: string
  template: boolean
  tags: readonly string[]
  pool?: string
  lock?: string
  uptime: number
  cpu: number
  maxcpu: number
  mem: number
  maxmem: number
  disk: number
  maxdisk: number
  diskread: number
  diskwrite: number
  netin: number
  netout: number
}

export interface NodeRow {
  kind: 'node'
  node: string
  /** `online`, `offline` (it said so, or has said nothing for too long) or `unknown`. */
  status: string
  /** When (ms) it was last heard of; 0: never, only the list told of it. */
  seen: number
  uptime: number
  cpu: number
  maxcpu: number
  mem: number
  maxmem: number
  disk: number
  maxdisk: number
}

export interface StorageRow {
  kind: 'storage'
  id: string
  storage: string
  node: string
  plugintype: string
  content: readonly string[]
  shared: boolean
  status: string
  disk: number
  maxdisk: number
}

export interface PoolRow {
  kind: 'pool'
  pool: string
}

export interface Inventory {
  ready: boolean
  guests: ReadonlyMap<number, Guest>
  nodes: ReadonlyMap<string, NodeRow>
  storages: ReadonlyMap<string, StorageRow>
  pools: ReadonlyMap<string, PoolRow>
  /** The same in order: guests by number, nodes by name, storages by node and name. */
  guestList: readonly Guest[]
  nodeList: readonly NodeRow[]
  storageList: readonly StorageRow[]
  /** Another number when something was added, removed or renamed; not when only a status changed. */
  shape: number
}

/** A task as the event stream tells of it. `status` is set when it has ended. */
export interface TaskInfo {
  upid: string
  node: string
  type: string
  id: string
  user: string
  starttime: number
  /** `waiting`, `running` or `undoing` while it has not ended. */
  phase?: string
  endtime?: number
  status?: string
  progress?: number
  text?: string
  waiting?: string
}

export interface ChangeEvent {
  revision: string
  who: string
  why: string
  records: { key: string; action: 'write' | 'delete' }[]
}
