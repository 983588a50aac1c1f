import { expect, test } from 'vitest'
import { addressesOf } from '@/pages/guests/summary/addresses'

test('addresses by which the guest is reached, IPv4 first', () => {
  const result = [
    { name: 'lo', 'ip-addresses': [{ 'ip-address': '127.0.0.1' }, { 'ip-address': '::1' }] },
    {
      name: 'eth0',
      'hardware-address': 'bc:24:11:00:00:01',
      'ip-addresses': [{ 'ip-address': 'fd00::5' }, { 'ip-address': 'fe80::1' }, { 'ip-address': '10.0.2.15' }],
    },
    { name: 'down0' },
  ]
  expect(addressesOf({ result }).map(({ ip }) => ip)).toEqual(['10.0.2.15', 'fd00::5'])
  expect(addressesOf(undefined)).toEqual([])
  expect(addressesOf({ result: {} })).toEqual([])
})
