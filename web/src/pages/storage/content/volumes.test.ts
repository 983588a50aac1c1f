import { expect, it } from 'vitest'
import { contentsOf, filename, removals, type Volume, volname } from './volumes'

it('volumes are named without their storage', () => {
  expect(volname('local:iso/debian.iso')).toBe('iso/debian.iso')
  expect(filename('local:iso/debian.iso')).toBe('debian.iso')
  expect(filename('lvm:vm-100-disk-0')).toBe('vm-100-disk-0')
})

it('tabs come in one order, whatever the storage says', () => {
  expect(contentsOf('snippets,iso,images,rootdir')).toEqual(['images', 'iso', 'snippets'])
})

it('protected volumes are not among those to be removed', () => {
  const volume = (volid: string, held?: 1) => ({ volid, protected: held }) as Volume
  const jobs = removals([volume('local:iso/a.iso'), volume('local:backup/b.vma', 1)], { node: 'n1', storage: 'local' })
  expect(jobs.map(({ params }) => params)).toEqual([{ node: 'n1', storage: 'local', volume: 'iso/a.iso' }])
})
