/** The options of a guest, sorted into groups. What no group names comes last: a new option is there at once. */
import type { FieldSchema } from '@/forms/schema'

export const GROUPS = {
  identity: ['name', 'ostype', 'vmgenid', 'smbios1', 'arch'],
  start: ['onboot', 'startup', 'boot', 'protection', 'hookscript', 'reboot', 'freeze'],
  guest: ['agent', 'hotplug', 'tablet', 'keyboard', 'localtime', 'startdate', 'acpi', 'kvm', 'tdf'],
  life: ['vmstatestorage', 'migrate_downtime', 'migrate_speed', 'spice_enhancements', 'args'],
} as const

export type Group = keyof typeof GROUPS | 'more'

/** Shown elsewhere: by the hardware, cloud-init and summary tabs, or not an option. */
const ELSEWHERE = new Set([
  ...['node', 'vmid', 'delete', 'revert', 'force', 'digest', 'skiplock', 'background_delay'],
  ...['memory', 'balloon', 'shares', 'allow-ksm', 'hugepages', 'keephugepages'],
  ...['sockets', 'cores', 'cpu', 'vcpus', 'cpulimit', 'cpuunits', 'numa', 'affinity', 'smp'],
  ...['bios', 'machine', 'vga', 'scsihw', 'efidisk0', 'tpmstate0', 'audio0', 'rng0', 'watchdog', 'ivshmem', 'amd-sev'],
  ...['cicustom', 'cipassword', 'citype', 'ciupgrade', 'ciuser', 'nameserver', 'searchdomain', 'sshkeys'],
  ...['description', 'tags', 'template', 'lock', 'cdrom', 'bootdisk', 'autostart'],
])

/** The fields by group, in the group's order. */
export function grouped(fields: readonly FieldSchema[]): { group: Group; fields: FieldSchema[] }[] {
  const usable = fields.filter(({ name, numbered }) => numbered === undefined && !ELSEWHERE.has(name))
  const groups = Object.entries(GROUPS).map(([group, names]) => ({
    group: group as Group,
    fields: names.flatMap((name) => usable.filter((field) => field.name === name)),
  }))
  const named = new Set<string>(Object.values(GROUPS).flat())
  const more = usable.filter(({ name }) => !named.has(name)).sort((a, b) => a.name.localeCompare(b.name))
  return [...groups, { group: 'more' as const, fields: more }].filter((each) => each.fields.length > 0)
}

export interface BootEntry {
  name: string
  on: boolean
}

/** Devices that a guest can boot from: those of the order first, then the others. */
export function bootEntries(boot: string, config: Readonly<Record<string, unknown>>): BootEntry[] {
  const order = /(?:^|,)order=([^,]*)/.exec(boot)?.[1]?.split(';').filter(Boolean) ?? []
  const can = Object.keys(config)
    .filter((key) => /^(ide|sata|scsi|virtio|net|hostpci|usb)\d+$/.test(key))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  return [
    ...order.filter((name) => can.includes(name)).map((name) => ({ name, on: true })),
    ...can.filter((name) => !order.includes(name)).map((name) => ({ name, on: false })),
  ]
}

export const bootText = (entries: readonly BootEntry[]): string =>
  `order=${entries
    .filter(({ on }) => on)
    .map(({ name }) => name)
    .join(';')}`

/** The list with one entry a place earlier or later. */
export function moved<T>(list: readonly T[], place: number, by: number): T[] {
  const to = place + by
  const next = [...list]
  const [entry] = next.splice(place, 1)
  if (entry === undefined || to < 0 || to >= list.length) return [...list]
  next.splice(to, 0, entry)
  return next
}
