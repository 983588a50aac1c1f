import { expect, test } from 'vitest'
import { fileSystemsOf, interfacesOf, secondsOf, systemOf, usersOf } from '@/pages/guests/agent/answers'

test('file systems by where they are mounted', () => {
  const result = [
    { name: 'vda1', mountpoint: '/var', type: 'ext4', 'used-bytes': 1, 'total-bytes': 2 },
    { name: 'vda2', mountpoint: '/', type: 'ext4' },
  ]
  expect(fileSystemsOf({ result }).map(({ mountpoint, used }) => [mountpoint, used])).toEqual([
    ['/', undefined],
    ['/var', 1],
  ])
})

test('nonsense is no surprise', () => {
  for (const answer of [undefined, null, {}, { result: 7 }, { result: [null, 3] }]) {
    expect(fileSystemsOf(answer)).toEqual([])
    expect(usersOf(answer)).toEqual([])
    expect(systemOf(answer).name).toBe('')
  }
})

test('addresses and time', () => {
  const result = [{ name: 'eth0', 'ip-addresses': [{ 'ip-address': '10.0.2.15', prefix: 24 }] }, { name: 'eth1' }]
  expect(interfacesOf({ result }).map(({ addresses }) => addresses)).toEqual([['10.0.2.15/24'], []])
  expect(secondsOf({ result: 2e9 })).toBe(2)
})
