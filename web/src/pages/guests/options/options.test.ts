import { expect, test } from 'vitest'
import { bootEntries, bootText, grouped, moved } from '@/pages/guests/options/options'

const field = (name: string, numbered?: number) => ({ name, type: 'string' as const, numbered })

test('options are grouped; new ones come last', () => {
  const groups = grouped([field('brandnew'), field('onboot'), field('name'), field('memory'), field('net', 31)])
  expect(groups.map(({ group, fields }) => [group, fields.map(({ name }) => name)])).toEqual([
    ['identity', ['name']],
    ['start', ['onboot']],
    ['more', ['brandnew']],
  ])
})

test('the boot order, with devices that are not in it', () => {
  const config = { scsi0: 'x', net0: 'y', ide2: 'z', memory: '1', scsi10: 'a', scsi2: 'b' }
  const entries = bootEntries('order=net0;scsi0;gone0', config)
  expect(entries.map(({ name, on }) => `${name}${on ? '+' : ''}`)).toEqual([
    'net0+',
    'scsi0+',
    'ide2',
    'scsi2',
    'scsi10',
  ])
  expect(bootText(moved(entries, 1, -1))).toBe('order=scsi0;net0')
  expect(moved([1, 2], 0, -1)).toEqual([1, 2])
  expect(moved([1, 2], 1, 1)).toEqual([1, 2])
})
