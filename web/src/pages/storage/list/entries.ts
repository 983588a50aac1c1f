import type { StorageRow } from '@/live/types'
import type { Job } from '@/ui/Bulk/jobs'

/** What a storage's configuration says. */
export interface StorageConfig {
  storage?: string
  type?: string
  content?: string
  nodes?: string
  disable?: unknown
  shared?: unknown
  path?: string
}

/** A storage on a node; without `node` where it is configured but nowhere in use. */
export interface StorageEntry {
  key: string
  storage: string
  node: string
  type: string
  content: readonly string[]
  shared: boolean
  enabled: boolean
  status: string
  used: number
  size: number
  path: string
}

const isSet = (flag: unknown): boolean => flag === true || flag === 1 || flag === '1'
const words = (text = ''): string[] => text.split(/[;, ]+/).filter(Boolean)

/** Storages on their nodes, and those of the configuration that no node reports. */
export function storageEntries(rows: readonly StorageRow[], configs: readonly StorageConfig[]): StorageEntry[] {
  const byName = new Map(configs.map((config) => [config.storage ?? '', config]))
  const entries = rows.map((row) => {
    const config = byName.get(row.storage)
    return {
      key: row.id,
      storage: row.storage,
      node: row.node,
      type: row.plugintype,
      content: row.content,
      shared: row.shared,
      enabled: !isSet(config?.disable),
      status: isSet(config?.disable) ? 'disabled' : row.status,
      used: row.disk,
      size: row.maxdisk,
      path: config?.path ?? '',
    }
  })
  const seen = new Set(rows.map(({ storage }) => storage))
  const others = configs.filter(({ storage }) => storage && !seen.has(storage))
  return [...entries, ...others.map(unused)]
}

const unused = (config: StorageConfig): StorageEntry => ({
  key: `/${config.storage}`,
  storage: config.storage ?? '',
  node: '',
  type: config.type ?? '',
  content: words(config.content),
  shared: isSet(config.shared),
  enabled: !isSet(config.disable),
  status: isSet(config.disable) ? 'disabled' : 'unknown',
  used: 0,
  size: 0,
  path: config.path ?? '',
})

const once = (entries: readonly StorageEntry[]): StorageEntry[] => [
  ...new Map(entries.map((entry) => [entry.storage, entry])).values(),
]

/** One call for each storage, on however many nodes it is. */
export const removeJobs = (entries: readonly StorageEntry[]): Job[] =>
  once(entries).map(({ storage }) => ({
    key: storage,
    label: storage,
    operation: 'DELETE /storage/{storage}',
    params: { storage },
  }))

export const enableJobs = (entries: readonly StorageEntry[], enable: boolean): Job[] =>
  once(entries)
    .filter(({ enabled }) => enabled !== enable)
    .map(({ storage }) => ({
      key: storage,
      label: storage,
      operation: 'PUT /storage/{storage}',
      params: { storage, disable: !enable },
    }))
