import { expect, test } from 'vitest'
import { flag, pairsOf, partOf, textOf, withValues } from '@/pages/guests/props'

const DISK = 'local:100/vm-100-disk-0.raw,cache=none,size=32G'

test('a text is printed as it was read', () => {
  for (const text of [DISK, 'virtio=BC:24:11:00:00:01,bridge=vmbr0', '']) expect(textOf(pairsOf(text))).toBe(text)
})

test('what stands alone has the first key', () => {
  expect(partOf(DISK, 'file', 'file')).toBe('local:100/vm-100-disk-0.raw')
  expect(partOf(DISK, 'size', 'file')).toBe('32G')
  expect(partOf(DISK, 'ssd', 'file')).toBeUndefined()
})

test('values are replaced in place, added at the end and taken out', () => {
  expect(withValues(DISK, { cache: 'writeback', ssd: '1', size: undefined }, 'file')).toBe(
    'local:100/vm-100-disk-0.raw,cache=writeback,ssd=1',
  )
  expect(withValues(DISK, { file: 'none' }, 'file')).toBe('none,cache=none,size=32G')
  expect(withValues('cache=none', { file: 'a:1' }, 'file')).toBe('a:1,cache=none')
})

test('flags have several spellings', () => {
  expect(['1', 'on', 'Yes', '0', undefined].map(flag)).toEqual([true, true, true, false, false])
})
