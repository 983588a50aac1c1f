/** What can be done with a device, and the privilege it takes. */
import {
  IconBox,
  IconCloud,
  IconCpu,
  IconDatabase,
  IconDeviceDesktop,
  IconDeviceSdCard,
  IconDeviceUsb,
  IconDice3,
  IconDisc,
  IconFingerprint,
  IconFolderSymlink,
  IconKey,
  IconNetwork,
  IconPlugConnected,
  IconServer2,
  IconShieldLock,
  IconStack2,
  IconStopwatch,
  IconTerminal2,
  IconVolume,
} from '@tabler/icons-react'
import type { Device, Kind } from '@/pages/guests/hardware/devices'

export const ICONS: Record<Kind, typeof IconCpu> = {
  memory: IconStack2,
  cpu: IconCpu,
  bios: IconKey,
  machine: IconServer2,
  display: IconDeviceDesktop,
  controller: IconPlugConnected,
  disk: IconDatabase,
  cdrom: IconDisc,
  cloudinit: IconCloud,
  efi: IconDeviceSdCard,
  tpm: IconFingerprint,
  unused: IconBox,
  net: IconNetwork,
  usb: IconDeviceUsb,
  pci: IconServer2,
  serial: IconTerminal2,
  parallel: IconTerminal2,
  audio: IconVolume,
  rng: IconDice3,
  virtiofs: IconFolderSymlink,
  watchdog: IconStopwatch,
  ivshmem: IconStack2,
  amdsev: IconShieldLock,
}

const PRIVILEGES: Partial<Record<Kind, string>> = {
  memory: 'VM.Config.Memory',
  cpu: 'VM.Config.CPU',
  disk: 'VM.Config.Disk',
  efi: 'VM.Config.Disk',
  tpm: 'VM.Config.Disk',
  unused: 'VM.Config.Disk',
  cdrom: 'VM.Config.CDROM',
  cloudinit: 'VM.Config.CDROM',
  net: 'VM.Config.Network',
}

/** The privilege to change a kind of device. */
export const privilegeFor = (kind: Kind): string => PRIVILEGES[kind] ?? 'VM.Config.HWType'

export type Action = 'edit' | 'all' | 'resize' | 'detach' | 'attach' | 'remove'

const ALWAYS_THERE: ReadonlySet<Kind> = new Set(['memory', 'cpu', 'bios', 'machine', 'display', 'controller'])

/** The likely action, and the others. */
export function actionsOf(
  device: Pick<Device, 'kind'>,
  may: (privilege: string) => boolean,
): { main?: Action; more: Action[] } {
  const { kind } = device
  if (!may(privilegeFor(kind))) return { more: [] }
  if (kind === 'memory' || kind === 'cpu') return { main: 'edit', more: ['all'] }
  if (ALWAYS_THERE.has(kind)) return { main: 'edit', more: [] }
  if (kind === 'disk') return { main: 'edit', more: ['resize', 'all', 'detach'] }
  if (kind === 'efi' || kind === 'tpm') return { more: ['detach'] }
  if (kind === 'unused') return { main: 'attach', more: ['detach'] }
  if (kind === 'cloudinit') return { more: ['remove'] }
  if (kind === 'cdrom' || kind === 'net') return { main: 'edit', more: ['all', 'remove'] }
  return { main: 'edit', more: ['remove'] }
}
