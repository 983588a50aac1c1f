/** The hardware in a configuration: what is there, what it will be after a restart. Texts in, values out. */
import { flag, partOf } from '@/pages/guests/props'

/** A row of `GET …/pending`. */
export interface PendingRow {
  key: string
  value?: unknown
  pending?: unknown
  delete?: number
}

export type Kind =
  | 'memory'
  | 'cpu'
  | 'bios'
  | 'machine'
  | 'display'
  | 'controller'
  | 'disk'
  | 'cdrom'
  | 'cloudinit'
  | 'efi'
  | 'tpm'
  | 'unused'
  | 'net'
  | 'usb'
  | 'pci'
  | 'serial'
  | 'parallel'
  | 'audio'
  | 'rng'
  | 'virtiofs'
  | 'watchdog'
  | 'ivshmem'
  | 'amdsev'

export interface Device {
  /** The option, or the first of several. */
  key: string
  kind: Kind
  /** The options that it is made of. */
  keys: readonly string[]
  now: Readonly<Record<string, string>>
  next: Readonly<Record<string, string>>
  state: 'same' | 'new' | 'changed' | 'removed'
}

/** Devices of several options, or that every guest has. */
const FIXED: readonly { kind: Kind; keys: readonly string[] }[] = [
  { kind: 'memory', keys: ['memory', 'balloon', 'shares', 'allow-ksm', 'hugepages', 'keephugepages'] },
  { kind: 'cpu', keys: ['sockets', 'cores', 'cpu', 'vcpus', 'cpulimit', 'cpuunits', 'numa', 'affinity'] },
  { kind: 'bios', keys: ['bios'] },
  { kind: 'display', keys: ['vga'] },
  { kind: 'machine', keys: ['machine'] },
  { kind: 'controller', keys: ['scsihw'] },
]

const FAMILIES: readonly (readonly [RegExp, Kind])[] = [
  [/^(ide|sata|scsi|virtio)\d+$/, 'disk'],
  [/^efidisk0$/, 'efi'],
  [/^tpmstate0$/, 'tpm'],
  [/^unused\d+$/, 'unused'],
  [/^net\d+$/, 'net'],
  [/^usb\d+$/, 'usb'],
  [/^hostpci\d+$/, 'pci'],
  [/^serial\d+$/, 'serial'],
  [/^parallel\d+$/, 'parallel'],
  [/^audio0$/, 'audio'],
  [/^rng0$/, 'rng'],
  [/^virtiofs\d+$/, 'virtiofs'],
  [/^watchdog$/, 'watchdog'],
  [/^ivshmem$/, 'ivshmem'],
  [/^amd-sev$/, 'amdsev'],
]

const ORDER: readonly Kind[] = [
  'memory',
  'cpu',
  'bios',
  'machine',
  'display',
  'controller',
  'disk',
  'cdrom',
  'cloudinit',
  'efi',
  'tpm',
  'net',
  'usb',
  'pci',
  'serial',
  'parallel',
  'audio',
  'rng',
  'virtiofs',
  'watchdog',
  'ivshmem',
  'amdsev',
  'unused',
]

export const isCdrom = (text: string): boolean => partOf(text, 'media') === 'cdrom'
export const isCloudInit = (text: string): boolean => /(^|[:/-])(cloudinit|vm-\d+-cloudinit)/.test(volumeOf(text))
export const volumeOf = (text: string): string => partOf(text, 'file', 'file') ?? partOf(text, 'volume') ?? ''

function kindOf(key: string, text: string): Kind | undefined {
  const kind = FAMILIES.find(([pattern]) => pattern.test(key))?.[1]
  if (kind !== 'disk') return kind
  if (isCloudInit(text)) return 'cloudinit'
  return isCdrom(text) ? 'cdrom' : 'disk'
}

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value))

function entry(row: PendingRow): { now: string; next: string } {
  const now = text(row.value)
  return { now, next: row.delete ? '' : row.pending === undefined ? now : text(row.pending) }
}

function stateOf(now: Record<string, string>, then: Record<string, string>): Device['state'] {
  const keys = new Set([...Object.keys(now), ...Object.keys(then)])
  if ([...keys].every((key) => now[key] === then[key])) return 'same'
  if (Object.keys(now).length === 0) return 'new'
  return Object.keys(then).length === 0 ? 'removed' : 'changed'
}

const withText = (pairs: [string, string][]): Record<string, string> =>
  Object.fromEntries(pairs.filter(([, value]) => value !== ''))

/** All devices, in the order in which people look for them. */
export function devicesOf(rows: readonly PendingRow[]): Device[] {
  const entries = new Map(rows.map((row) => [row.key, entry(row)]))
  const fixed = FIXED.map(({ kind, keys }): Device => {
    const there = keys.flatMap((key): [string, { now: string; next: string }][] => {
      const found = entries.get(key)
      return found ? [[key, found]] : []
    })
    const now = withText(there.map(([key, each]) => [key, each.now]))
    const next = withText(there.map(([key, each]) => [key, each.next]))
    const state = stateOf(now, next)
    return { key: keys[0] ?? kind, kind, keys, now, next, state: state === 'same' ? 'same' : 'changed' }
  })
  const others = [...entries].flatMap(([key, { now, next }]): Device[] => {
    const kind = kindOf(key, next || now)
    if (!kind) return []
    const before = withText([[key, now]])
    const after = withText([[key, next]])
    return [{ key, kind, keys: [key], now: before, next: after, state: stateOf(before, after) }]
  })
  const place = new Map(ORDER.map((kind, index) => [kind, index]))
  return [...fixed, ...others].sort(
    (a, b) =>
      (place.get(a.kind) ?? 0) - (place.get(b.kind) ?? 0) || a.key.localeCompare(b.key, 'en', { numeric: true }),
  )
}

/** The options of devices and others that wait for a restart. */
export const waiting = (rows: readonly PendingRow[]): string[] =>
  rows.filter((row) => row.key !== 'digest' && (row.pending !== undefined || row.delete)).map(({ key }) => key)

export const BUSES = { scsi: 31, virtio: 16, sata: 6, ide: 4 } as const
export type Bus = keyof typeof BUSES

/** The first free number of a bus or family; undefined if all are taken. */
export function freeIndex(rows: readonly PendingRow[], family: string, count: number): number | undefined {
  const taken = new Set(rows.map(({ key }) => key))
  return Array.from({ length: count }, (_, index) => index).find((index) => !taken.has(`${family}${index}`))
}

/** Facts of a disk's text for its line: what is set, without volume and size. */
export function diskFacts(value: string): string[] {
  const facts = ['cache', 'aio', 'discard', 'format'].flatMap((key) => {
    const found = partOf(value, key)
    return found ? [`${key}=${found}`] : []
  })
  const flags = ['ssd', 'iothread', 'ro', 'shared'].filter((key) => flag(partOf(value, key)))
  const off = ['backup', 'replicate'].filter((key) => partOf(value, key) !== undefined && !flag(partOf(value, key)))
  return [...facts, ...flags, ...off.map((key) => `${key}=0`)]
}

export interface Nic {
  model: string
  mac?: string
  bridge?: string
  tag?: string
  firewall: boolean
  down: boolean
  rate?: string
  mtu?: string
  queues?: string
}

const MODELS =
  /^(e1000|e1000-82540em|e1000-82544gc|e1000-82545em|e1000e|i82551|i82557b|i82559er|ne2k_isa|ne2k_pci|pcnet|rtl8139|virtio|vmxnet3)$/

export function nicOf(value: string): Nic {
  const pieces = value.split(',').map((piece) => piece.split('='))
  const [model, mac] = pieces.find(([key]) => MODELS.test(key ?? '')) ?? []
  return {
    model: model ?? partOf(value, 'model') ?? 'virtio',
    mac: mac ?? partOf(value, 'macaddr'),
    bridge: partOf(value, 'bridge'),
    tag: partOf(value, 'tag'),
    firewall: flag(partOf(value, 'firewall')),
    down: flag(partOf(value, 'link_down')),
    rate: partOf(value, 'rate'),
    mtu: partOf(value, 'mtu'),
    queues: partOf(value, 'queues'),
  }
}

/** The text of a network device; what is not in `nic` is kept from the text there was. */
export function nicText(nic: Nic, before = ''): string {
  const known = new Set(['model', 'macaddr', 'bridge', 'tag', 'firewall', 'link_down', 'rate', 'mtu', 'queues'])
  const kept = before.split(',').filter((piece) => {
    const key = piece.split('=')[0] ?? ''
    return piece !== '' && !known.has(key) && !MODELS.test(key)
  })
  const parts = [
    nic.mac ? `${nic.model}=${nic.mac}` : nic.model,
    nic.bridge && `bridge=${nic.bridge}`,
    nic.firewall && 'firewall=1',
    nic.down && 'link_down=1',
    nic.mtu && `mtu=${nic.mtu}`,
    nic.queues && `queues=${nic.queues}`,
    nic.rate && `rate=${nic.rate}`,
    nic.tag && `tag=${nic.tag}`,
    ...kept,
  ]
  return parts.filter(Boolean).join(',')
}
