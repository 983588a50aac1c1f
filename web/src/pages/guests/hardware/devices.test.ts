import { expect, test } from 'vitest'
import { devicesOf, diskFacts, freeIndex, isCloudInit, nicOf, nicText, waiting } from '@/pages/guests/hardware/devices'

const ROWS = [
  { key: 'memory', value: '256', pending: '512' },
  { key: 'cores', value: 2 },
  { key: 'net0', value: 'virtio=BC:24:11:00:00:01', delete: 1 },
  { key: 'net10', pending: 'e1000' },
  { key: 'net2', value: 'virtio' },
  { key: 'scsi0', value: 'local:100/vm-100-disk-0.raw,size=48M' },
  { key: 'ide2', value: 'none,media=cdrom' },
  { key: 'ide0', value: 'local:vm-100-cloudinit,media=cdrom' },
  { key: 'name', value: 'x', pending: 'y' },
  { key: 'digest', value: 'abc' },
]

test('devices in the order in which people look for them', () => {
  expect(devicesOf(ROWS).map(({ key, kind, state }) => `${key} ${kind} ${state}`)).toEqual([
    'memory memory changed',
    'sockets cpu same',
    'bios bios same',
    'machine machine same',
    'vga display same',
    'scsihw controller same',
    'scsi0 disk same',
    'ide2 cdrom same',
    'ide0 cloudinit same',
    'net0 net removed',
    'net2 net same',
    'net10 net new',
  ])
})

test('what waits for a restart', () => {
  expect(waiting(ROWS)).toEqual(['memory', 'net0', 'net10', 'name'])
})

test('numbers that are free', () => {
  expect(freeIndex(ROWS, 'net', 32)).toBe(1)
  expect(freeIndex(ROWS, 'ide', 4)).toBe(1)
  expect(freeIndex([{ key: 'ide0' }], 'ide', 1)).toBeUndefined()
})

test('volumes of cloud-init', () => {
  expect(isCloudInit('local:100/vm-100-cloudinit.qcow2,media=cdrom')).toBe(true)
  expect(isCloudInit('local:cloudinit')).toBe(true)
  expect(isCloudInit('local:iso/debian.iso,media=cdrom')).toBe(false)
})

test('what is set on a disk', () => {
  expect(diskFacts('local:1/a.raw,backup=0,cache=none,iothread=1,size=1G,ssd=0')).toEqual([
    'cache=none',
    'iothread',
    'backup=0',
  ])
})

test('network devices are read and written; what is not understood stays', () => {
  const text = 'virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1,tag=7,trunks=1;2'
  const nic = nicOf(text)
  expect(nic).toMatchObject({ model: 'virtio', mac: 'BC:24:11:00:00:01', bridge: 'vmbr0', tag: '7', firewall: true })
  expect(nicText(nic, text)).toBe(text)
  expect(nicText({ ...nic, down: true, model: 'e1000' }, text)).toBe(
    'e1000=BC:24:11:00:00:01,bridge=vmbr0,firewall=1,link_down=1,tag=7,trunks=1;2',
  )
  expect(nicText(nicOf('model=e1000,macaddr=AA:BB:CC:DD:EE:FF'))).toBe('e1000=AA:BB:CC:DD:EE:FF')
})
