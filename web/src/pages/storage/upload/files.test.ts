import { describe, expect, it } from 'vitest'
import { algorithmOf, fits, keptName, recognise } from './files'

const head = (text: string, at = 0): Uint8Array => {
  const bytes = new Uint8Array(33 * 1024)
  for (const [index, char] of [...text].entries()) bytes[at + index] = char.charCodeAt(0)
  return bytes
}

describe('a file is recognised', () => {
  it('by its name', () => {
    expect(recognise('debian-13.iso')).toEqual({ content: 'iso', filename: 'debian-13.iso' })
    expect(recognise('disk.qcow2')).toEqual({ content: 'import', filename: 'disk.qcow2' })
    expect(recognise('alpine.tar.zst')).toEqual({ content: 'vztmpl', filename: 'alpine.tar.zst' })
  })
  it('by what is in an .img', () => {
    expect(recognise('noble.img', head('QFI\xfb'))).toEqual({ content: 'import', filename: 'noble.qcow2' })
    expect(recognise('installer.img', head('CD001', 0x8001))).toEqual({ content: 'iso', filename: 'installer.iso' })
    expect(recognise('flat.img', head(''))).toEqual({ content: 'import', filename: 'flat.raw' })
  })
  it('or not at all', () => expect(recognise('notes.txt', head(''))).toBeUndefined())
})

it('names are kept without what they cannot have', () => {
  expect(keptName('C:\\images\\my image (1).iso')).toBe('my_image__1_.iso')
  expect(fits('import', 'x.img')).toBe(false)
})

it('the length of a checksum tells how it was made', () => {
  expect(algorithmOf('a'.repeat(64))).toBe('sha256')
  expect(algorithmOf(` ${'0'.repeat(128)} `)).toBe('sha512')
  expect(algorithmOf('zz')).toBeUndefined()
})
