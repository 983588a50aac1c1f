/** What was entered in the wizard: kept outside of it, so that closing it, or logging in again, loses nothing. */
import { createStore, useStore } from '@/live/store'
import { freeName, isCloudImage, isWindows, nameOf, type OsType, osOf } from '@/pages/guests/create/guess'
import type { FileContent } from '@/pages/storage/upload/files'

export type Source =
  | { kind: 'none' }
  | { kind: 'empty' }
  /** A volume that is there: an ISO image or a disk image. */
  | { kind: 'volume'; volid: string; content: 'iso' | 'import'; filename: string }
  /** A file on its way to a storage. */
  | { kind: 'upload'; upload: number; storage: string; content: FileContent; filename: string }
  /** A file that the node fetches when the guest is made. */
  | {
      kind: 'download'
      url: string
      storage: string
      content: FileContent
      filename: string
      checksum?: string
      algorithm?: string
      user?: string
    }

export type Preset = 'small' | 'medium' | 'large' | 'custom'

export interface Draft {
  source: Source
  name: string
  nameTouched: boolean
  vmid: string
  node: string
  tags: string[]
  pool: string
  description: string
  preset: Preset
  cores: number
  sockets: number
  memory: number
  balloon: boolean
  /** GiB; 0 keeps the size of the image. */
  disk: number
  diskStorage: string
  os: OsType
  firmware: '' | 'seabios' | 'ovmf'
  machine: '' | 'q35' | 'pc'
  tpm: boolean
  cpu: string
  /** An ISO image with drivers for Windows. */
  drivers: string
  cache: '' | 'none' | 'writeback' | 'writethrough'
  /** Undefined until chosen: then the first bridge, else user-mode. */
  bridge: string | undefined
  model: 'virtio' | 'e1000' | 'e1000e' | 'rtl8139' | 'vmxnet3'
  vlan: number | ''
  mac: string
  firewall: boolean
  cloud: boolean
  user: string
  password: string
  keys: string
  dhcp: boolean
  address: string
  gateway: string
  nameserver: string
  agent: boolean
  onboot: boolean
  protection: boolean
  start: boolean
  console: boolean
}

export const PRESETS: Record<Exclude<Preset, 'custom'>, Pick<Draft, 'cores' | 'memory'> & { disk: number }> = {
  small: { cores: 1, memory: 1024, disk: 10 },
  medium: { cores: 2, memory: 4096, disk: 32 },
  large: { cores: 4, memory: 8192, disk: 64 },
}

export const EMPTY: Draft = {
  source: { kind: 'none' },
  name: '',
  nameTouched: false,
  vmid: '',
  node: '',
  tags: [],
  pool: '',
  description: '',
  preset: 'medium',
  cores: PRESETS.medium.cores,
  sockets: 1,
  memory: PRESETS.medium.memory,
  balloon: true,
  disk: PRESETS.medium.disk,
  diskStorage: '',
  os: 'l26',
  firmware: '',
  machine: '',
  tpm: false,
  cpu: '',
  drivers: '',
  cache: '',
  bridge: undefined,
  model: 'virtio',
  vlan: '',
  mac: '',
  firewall: false,
  cloud: false,
  user: '',
  password: '',
  keys: '',
  dhcp: true,
  address: '',
  gateway: '',
  nameserver: '',
  agent: true,
  onboot: false,
  protection: false,
  start: true,
  console: true,
}

export const filenameOf = (source: Source): string => ('filename' in source ? source.filename : '')

/** Whether the guest's disk is a copy of the source. */
export const isImage = (source: Source): boolean => 'content' in source && source.content === 'import'
export const isIso = (source: Source): boolean => 'content' in source && source.content === 'iso'

/** Whether nobody could log in to the system: a cloud image that is told neither password nor key. */
export const isLocked = (draft: Draft): boolean => draft.cloud && !draft.password && !draft.keys.trim()

/** The disk that a preset gives: a plain image keeps its own size. */
const diskFor = (draft: Draft, preset: Preset): number =>
  isImage(draft.source) && !draft.cloud ? 0 : preset === 'custom' ? draft.disk : PRESETS[preset].disk

export function withPreset(draft: Draft, preset: Preset): Draft {
  if (preset === 'custom') return { ...draft, preset }
  const { cores, memory } = PRESETS[preset]
  return { ...draft, preset, cores, memory, sockets: 1, disk: diskFor(draft, preset) }
}

/** A draft with another source, and what that source suggests. What the user has set stays. */
export function withSource(draft: Draft, source: Source, taken: ReadonlySet<string>): Draft {
  const filename = filenameOf(source)
  const os = osOf(filename)
  const cloud = isImage(source) && isCloudImage(filename)
  const name = filename ? freeName(nameOf(filename), taken) : ''
  const windows = isWindows(os)
  const next: Draft = {
    ...draft,
    source,
    os,
    cloud,
    name: draft.nameTouched ? draft.name : name,
    firmware: os === 'win11' ? 'ovmf' : '',
    machine: os === 'win11' ? 'q35' : '',
    tpm: os === 'win11',
    model: windows && !draft.drivers ? 'e1000e' : 'virtio',
  }
  return { ...next, disk: diskFor(next, windows && draft.preset !== 'custom' ? 'large' : next.preset) }
}

const KEY = 'corral.draft.vm'

function load(): Draft {
  try {
    const text = sessionStorage.getItem(KEY)
    if (text === null) return EMPTY
    const stored = JSON.parse(text) as Partial<Draft>
    // A file's bytes don't outlive the page.
    return { ...EMPTY, ...stored, ...(stored.source?.kind === 'upload' ? { source: EMPTY.source } : {}) }
  } catch {
    return EMPTY
  }
}

export const draft = createStore<Draft>(load())
export const useDraft = (): Draft => useStore(draft)

draft.subscribe(() => {
  const { password: _, ...kept } = draft.get() // a password is for memory only
  if (draft.get() === EMPTY) sessionStorage.removeItem(KEY)
  else sessionStorage.setItem(KEY, JSON.stringify(kept))
})

export const change = (fields: Partial<Draft>): void => draft.set({ ...draft.get(), ...fields })
export const discard = (): void => draft.set(EMPTY)
