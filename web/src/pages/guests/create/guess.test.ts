import { expect, it } from 'vitest'
import { freeName, isCloudImage, nameOf, osOf } from './guess'

it.each([
  ['debian-13.1.0-amd64-netinst.iso', 'l26'],
  ['Win11_25H2_English_x64.iso', 'win11'],
  ['windows-server-2025.iso', 'win11'],
  ['Win10_22H2.iso', 'win10'],
  ['virtio-win-0.1.271.iso', 'l26'],
  ['FreeBSD-15.0-RELEASE-amd64-disc1.iso', 'other'],
  ['darwin-tools.iso', 'l26'],
])('%s holds %s', (name, os) => expect(osOf(name)).toBe(os))

it.each([
  ['debian-13-genericcloud-amd64.qcow2', 'debian-13'],
  ['ubuntu-24.04-minimal-cloudimg-amd64.qcow2', 'ubuntu-24-04'],
  ['AlmaLinux-9-GenericCloud-latest.x86_64.qcow2', 'almalinux-9'],
  ['Fedora-Cloud-Base-Generic-43-1.6.x86_64.qcow2', 'fedora-43-1-6'],
  ['generic_alpine-3.24.1-x86_64-bios-cloudinit-r0.qcow2', 'alpine-3-24-1'],
  ['disk.qcow2', 'disk'],
  ['.iso', 'vm'],
])('%s makes a guest called %s', (file, name) => expect(nameOf(file)).toBe(name))

it('a name that is taken gets a number', () => {
  expect(freeName('web', new Set())).toBe('web')
  expect(freeName('web', new Set(['web', 'web-2']))).toBe('web-3')
})

it('cloud images are told by their name', () => {
  expect(isCloudImage('debian-13-genericcloud-amd64.qcow2')).toBe(true)
  expect(isCloudImage('disk.qcow2')).toBe(false)
})
