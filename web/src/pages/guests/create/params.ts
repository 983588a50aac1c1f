/** From what was entered to the call that makes the guest. */
import type { Params } from '@/api/client'
import { type Draft, isImage, isIso, type Source } from '@/pages/guests/create/draft'
import { isWindows } from '@/pages/guests/create/guess'

export type CreateParams = Params<'POST /nodes/{node}/qemu'>

/** What is decided by the node where the user has not. */
export interface Facts {
  node: string
  diskStorage: string
  /** Empty: user-mode networking. */
  bridge: string
  /** The model that guests should see; empty for the platform's default. */
  cpu: string
  /** A number that was free a moment ago; empty: the node draws one. */
  vmid?: string
}

const joined = (parts: (string | false | undefined)[]): string => parts.filter(Boolean).join(',')

/** The volume of a source, also of one that is not there yet. */
export function volumeOf(source: Source): string {
  if (source.kind === 'volume') return source.volid
  if (source.kind === 'upload' || source.kind === 'download')
    return `${source.storage}:${source.content}/${source.filename}`
  return ''
}

/** Where the first disk hangs: Windows knows nothing of virtio until it has drivers. */
export const diskBus = (draft: Draft): 'scsi0' | 'sata0' => (isWindows(draft.os) && !draft.drivers ? 'sata0' : 'scsi0')

function disk(draft: Draft, facts: Facts): Partial<CreateParams> {
  const bus = diskBus(draft)
  const image = isImage(draft.source)
  const place = image ? `${facts.diskStorage}:0` : `${facts.diskStorage}:${Math.max(1, draft.disk)}`
  const value = joined([
    place,
    image && `import-from=${volumeOf(draft.source)}`,
    draft.cache && `cache=${draft.cache}`,
    'discard=on',
    bus === 'scsi0' && 'iothread=1',
    'ssd=1',
  ])
  return { scsihw: 'virtio-scsi-single', [bus]: value }
}

function removable(draft: Draft, facts: Facts): Partial<CreateParams> {
  const bus = diskBus(draft)
  const drives: Partial<CreateParams> = {}
  if (isIso(draft.source)) drives.ide2 = `${volumeOf(draft.source)},media=cdrom`
  if (draft.cloud) drives.ide2 = `${facts.diskStorage}:cloudinit`
  if (draft.drivers) drives.ide0 = `${draft.drivers},media=cdrom`
  const order = [bus, isIso(draft.source) && 'ide2', !isImage(draft.source) && 'net0'].filter(Boolean)
  return { ...drives, boot: `order=${order.join(';')}` }
}

function firmware(draft: Draft, facts: Facts): Partial<CreateParams> {
  const out: Partial<CreateParams> = {}
  if (draft.machine) out.machine = draft.machine
  if (draft.firmware) out.bios = draft.firmware
  if (draft.firmware === 'ovmf')
    out.efidisk0 = joined([`${facts.diskStorage}:1`, 'efitype=4m', isWindows(draft.os) && 'pre-enrolled-keys=1'])
  if (draft.tpm) out.tpmstate0 = `${facts.diskStorage}:1,version=v2.0`
  return out
}

function cloudInit(draft: Draft): Partial<CreateParams> {
  if (!draft.cloud) return {}
  const out: Partial<CreateParams> = {
    ipconfig0: draft.dhcp ? 'ip=dhcp' : joined([`ip=${draft.address}`, draft.gateway && `gw=${draft.gateway}`]),
  }
  if (draft.user) out.ciuser = draft.user
  if (draft.password) out.cipassword = draft.password
  if (draft.keys.trim()) out.sshkeys = encodeURIComponent(`${draft.keys.trim()}\n`)
  if (!draft.dhcp && draft.nameserver) out.nameserver = draft.nameserver
  return out
}

function network(draft: Draft, facts: Facts): Partial<CreateParams> {
  const bridge = draft.bridge ?? facts.bridge
  const first = draft.mac ? `${draft.model}=${draft.mac}` : draft.model
  return {
    net0: joined([
      first,
      bridge && `bridge=${bridge}`,
      bridge !== '' && draft.vlan !== '' && `tag=${draft.vlan}`,
      bridge !== '' && draft.firewall && 'firewall=1',
    ]),
  }
}

function identity(draft: Draft, facts: Facts): Partial<CreateParams> {
  const out: Partial<CreateParams> = {}
  if (draft.name) out.name = draft.name
  const vmid = draft.vmid || facts.vmid
  if (vmid) out.vmid = Number(vmid)
  if (draft.tags.length) out.tags = draft.tags.join(';')
  if (draft.pool) out.pool = draft.pool
  if (draft.description) out.description = draft.description
  if (draft.onboot) out.onboot = 1
  if (draft.protection) out.protection = 1
  return out
}

/** Whether the disk has to grow after it was copied; the start then waits for that. */
export const mustGrow = (draft: Draft): boolean => isImage(draft.source) && draft.disk > 0

export function createParams(draft: Draft, facts: Facts): CreateParams {
  const cpu = draft.cpu || facts.cpu
  return {
    node: facts.node,
    ...identity(draft, facts),
    ostype: draft.os,
    cores: draft.cores,
    ...(draft.sockets > 1 ? { sockets: draft.sockets } : {}),
    ...(cpu ? { cpu } : {}),
    memory: String(draft.memory),
    ...(draft.balloon ? {} : { balloon: 0 }),
    ...firmware(draft, facts),
    ...disk(draft, facts),
    ...removable(draft, facts),
    ...network(draft, facts),
    ...cloudInit(draft),
    ...(isImage(draft.source) ? { serial0: 'socket' } : {}),
    ...(draft.agent ? { agent: '1' } : {}),
    ...(draft.start && !mustGrow(draft) ? { start: 1 as const } : {}),
  }
}

/** The same call with an empty disk instead of the image: what can be checked before that is there. */
export function withoutSource(params: CreateParams, disk = 1): CreateParams {
  const { ide2, boot, ...rest } = params
  const emptied = (value: string | undefined) => value?.replace(/:0,import-from=[^,]*/, `:${disk || 1}`)
  const cloud = ide2?.endsWith(':cloudinit') ? { ide2 } : {}
  const order = boot?.replace(/;ide2\b/, '')
  return { ...rest, ...cloud, boot: order, scsi0: emptied(params.scsi0), sata0: emptied(params.sata0) }
}

/** A processor model that this host can show to guests; empty for the default. Emulation can show it anywhere. */
export function cpuFor(flags: string | undefined, kvm: boolean): string {
  if (flags === undefined) return ''
  const has = new Set(flags.split(' '))
  const needed = ['aes', 'popcnt', 'pni', 'ssse3', 'sse4_1', 'sse4_2', 'cx16', 'lahf_lm']
  return !kvm || needed.every((flag) => has.has(flag)) ? 'x86-64-v2-AES' : ''
}

export type StepName = 'source' | 'general' | 'size' | 'network' | 'cloud' | 'review'

/** The step whose fields a parameter comes from. */
export function stepOf(parameter: string): StepName {
  if (/^(ide\d|filename|url|checksum|content)/.test(parameter)) return 'source'
  if (/^(name|vmid|node|tags|pool|description|onboot|protection)$/.test(parameter)) return 'general'
  if (/^(net\d)/.test(parameter)) return 'network'
  if (/^(ci|sshkeys|ipconfig|nameserver|searchdomain)/.test(parameter)) return 'cloud'
  if (/^(scsi|sata|virtio|cores|sockets|memory|balloon|cpu|efidisk|tpm|bios|machine|ostype|size)/.test(parameter))
    return 'size'
  return 'review'
}
