import { describe, expect, it } from 'vitest'
import { EMPTY, type Source, withPreset, withSource } from './draft'
import { cpuFor, createParams, type Facts, stepOf, withoutSource } from './params'

const facts: Facts = { node: 'n1', diskStorage: 'local', bridge: 'vmbr0', cpu: 'x86-64-v2-AES' }
const volume = (content: 'iso' | 'import', filename: string): Source => ({
  kind: 'volume',
  volid: `local:${content}/${filename}`,
  content,
  filename,
})
const from = (source: Source) => withSource(EMPTY, source, new Set())

describe('a guest', () => {
  it('from an ISO image has an empty disk and boots from the CD when that holds nothing', () => {
    expect(createParams(from(volume('iso', 'debian-13.iso')), facts)).toEqual({
      node: 'n1',
      name: 'debian-13',
      ostype: 'l26',
      cores: 2,
      cpu: 'x86-64-v2-AES',
      memory: '4096',
      scsihw: 'virtio-scsi-single',
      scsi0: 'local:32,discard=on,iothread=1,ssd=1',
      ide2: 'local:iso/debian-13.iso,media=cdrom',
      boot: 'order=scsi0;ide2;net0',
      net0: 'virtio,bridge=vmbr0',
      agent: '1',
      start: 1,
    })
  })
  it('from a cloud image gets a cloud-init drive, a serial port and, before it starts, a larger disk', () => {
    const draft = {
      ...from(volume('import', 'debian-13-genericcloud-amd64.qcow2')),
      user: 'me',
      keys: 'ssh-ed25519 AA me',
    }
    const params = createParams(draft, facts)
    expect(params).toMatchObject({
      scsi0: 'local:0,import-from=local:import/debian-13-genericcloud-amd64.qcow2,discard=on,iothread=1,ssd=1',
      ide2: 'local:cloudinit',
      ipconfig0: 'ip=dhcp',
      ciuser: 'me',
      sshkeys: 'ssh-ed25519%20AA%20me%0A',
      serial0: 'socket',
      boot: 'order=scsi0',
    })
    expect(params.start).toBeUndefined()
  })
  it('from another image keeps its size and starts at once', () => {
    const params = createParams(from(volume('import', 'disk.qcow2')), facts)
    expect(params.start).toBe(1)
    expect(params.ide2).toBeUndefined()
  })
  it('with Windows 11 gets EFI and TPM, and devices that its installer knows', () => {
    const draft = from(volume('iso', 'Win11_25H2.iso'))
    expect(createParams(draft, facts)).toMatchObject({
      ostype: 'win11',
      machine: 'q35',
      bios: 'ovmf',
      efidisk0: 'local:1,efitype=4m,pre-enrolled-keys=1',
      tpmstate0: 'local:1,version=v2.0',
      sata0: 'local:64,discard=on,ssd=1',
      net0: 'e1000e,bridge=vmbr0',
    })
    const drivers = { ...draft, drivers: 'local:iso/virtio-win.iso' }
    expect(createParams(drivers, facts)).toMatchObject({
      scsi0: 'local:64,discard=on,iothread=1,ssd=1',
      ide0: 'local:iso/virtio-win.iso,media=cdrom',
    })
  })
  it('without a bridge reaches the network through QEMU', () => {
    expect(createParams({ ...from({ kind: 'empty' }), vlan: 7 }, { ...facts, bridge: '' }).net0).toBe('virtio')
    expect(createParams({ ...from({ kind: 'empty' }), bridge: 'vmbr1', vlan: 7 }, facts).net0).toBe(
      'virtio,bridge=vmbr1,tag=7',
    )
  })
})

it('what the user has named keeps its name', () => {
  const named = { ...EMPTY, name: 'mine', nameTouched: true }
  expect(withSource(named, volume('iso', 'debian-13.iso'), new Set()).name).toBe('mine')
})

it('presets set processors, memory and disk', () => {
  expect(withPreset(EMPTY, 'large')).toMatchObject({ cores: 4, memory: 8192, disk: 64 })
})

it('all but the source can be checked before it is there', () => {
  const params = withoutSource(createParams(from(volume('import', 'disk.qcow2')), facts))
  expect(params.scsi0).toBe('local:1,discard=on,iothread=1,ssd=1')
})

it('the processor is one that the host has', () => {
  expect(cpuFor('aes popcnt pni ssse3 sse4_1 sse4_2 cx16 lahf_lm', true)).toBe('x86-64-v2-AES')
  expect(cpuFor('popcnt', true)).toBe('')
  expect(cpuFor('popcnt', false)).toBe('x86-64-v2-AES')
  expect(cpuFor(undefined, true)).toBe('')
})

it('errors lead to their step', () => {
  expect(['vmid', 'net0', 'scsi0', 'ciuser', 'ide2', 'foo'].map(stepOf)).toEqual([
    'general',
    'network',
    'size',
    'cloud',
    'source',
    'review',
  ])
})
