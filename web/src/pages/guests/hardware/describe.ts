/** A device in words: what stands first in its line, and what is said beside it. */
import type { TFunction } from 'i18next'
import { type Device, diskFacts, nicOf, volumeOf } from '@/pages/guests/hardware/devices'
import { flag, partOf } from '@/pages/guests/props'
import { bytes } from '@/ui/format'

export interface Words {
  main: string
  facts: string[]
  /** The text is a name of the machine's, not of people's. */
  mono?: boolean
}

type T = TFunction<'guest'>
type Values = Readonly<Record<string, string>>

const MIB = 1024 * 1024

function memory(values: Values, t: T): Words {
  const size = Number(partOf(values.memory ?? '512', 'current', 'current') ?? 512)
  const balloon = values.balloon === undefined ? undefined : Number(values.balloon)
  const facts = []
  if (balloon === 0) facts.push(t('hw.noBalloon'))
  else if (balloon !== undefined && balloon < size) facts.push(t('hw.atLeast', { size: bytes(balloon * MIB) }))
  if (values.hugepages) facts.push(`hugepages=${values.hugepages}`)
  return { main: bytes(size * MIB), facts }
}

function cpu(values: Values, t: T): Words {
  const sockets = Number(values.sockets ?? 1)
  const cores = Number(values.cores ?? 1)
  const facts = [
    t('hw.topology', { sockets, cores }),
    partOf(values.cpu ?? '', 'cputype', 'cputype') ?? t('hw.cpuDefault'),
  ]
  if (values.vcpus) facts.push(t('hw.plugged', { vcpus: values.vcpus }))
  if (values.cpulimit && values.cpulimit !== '0') facts.push(t('hw.limit', { limit: values.cpulimit }))
  if (values.cpuunits) facts.push(`cpuunits=${values.cpuunits}`)
  if (flag(values.numa)) facts.push('NUMA')
  if (values.affinity) facts.push(t('hw.affinity', { list: values.affinity }))
  return { main: t('hw.cores', { count: sockets * cores }), facts }
}

function net(text: string, t: T): Words {
  const nic = nicOf(text)
  const facts = [nic.model, nic.bridge ?? t('hw.userNet')]
  if (nic.tag) facts.push(`VLAN ${nic.tag}`)
  if (nic.firewall) facts.push(t('hw.firewall'))
  if (nic.down) facts.push(t('hw.linkDown'))
  if (nic.rate) facts.push(`${nic.rate} MB/s`)
  if (nic.mtu) facts.push(`MTU ${nic.mtu}`)
  return { main: nic.mac ?? t('hw.macAuto'), facts, mono: nic.mac !== undefined }
}

function drive(key: string, text: string, t: T): Words {
  const volume = volumeOf(text)
  if (volume === 'none') return { main: t('hw.noMedium'), facts: [key.replace(/\d+$/, '')] }
  if (volume === 'cdrom') return { main: t('hw.hostDrive'), facts: [key.replace(/\d+$/, '')] }
  const size = partOf(text, 'size')
  return { main: volume, facts: [...(size ? [size] : []), ...diskFacts(text)], mono: true }
}

const DEFAULTS: Partial<Record<Device['kind'], string>> = { bios: 'seabios', controller: 'lsi', display: 'std' }

/** The words for a device as it is (`now`) or will be (`next`). */
export function describe(device: Device, values: Values, t: T): Words {
  const text = values[device.key] ?? ''
  switch (device.kind) {
    case 'memory':
      return memory(values, t)
    case 'cpu':
      return cpu(values, t)
    case 'net':
      return net(text, t)
    case 'disk':
    case 'cdrom':
    case 'cloudinit':
    case 'efi':
    case 'tpm':
    case 'unused':
      return drive(device.key, text, t)
    default: {
      if (text === '') return { main: DEFAULTS[device.kind] ?? t('default'), facts: [t('hw.byDefault')] }
      return { main: text.replaceAll(',', ', '), facts: [] }
    }
  }
}
