import { expect, it } from 'vitest'
import { downloadParams, EMPTY_DOWNLOAD, isComplete, nameInUrl, withName } from './download'

it('a name tells what the file is', () => {
  expect(withName(EMPTY_DOWNLOAD, 'debian.iso')).toMatchObject({ content: 'iso', filename: 'debian.iso' })
  expect(withName(EMPTY_DOWNLOAD, 'disk.raw.zst')).toMatchObject({
    content: 'import',
    filename: 'disk.raw',
    compression: 'zst',
  })
  expect(withName(EMPTY_DOWNLOAD, 'alpine.tar.gz')).toMatchObject({ content: 'vztmpl', compression: '' })
})

it('the address names the file', () => {
  expect(nameInUrl('https://example.org/a/b%20c.iso?x=1')).toBe('b c.iso')
  expect(nameInUrl('nothing')).toBe('')
})

it('only what was entered is sent', () => {
  const form = { ...EMPTY_DOWNLOAD, url: ' https://example.org/x.iso ', filename: 'x.iso', checksum: 'a'.repeat(64) }
  expect(isComplete(form)).toBe(true)
  expect(downloadParams('n1', 'local', form)).toEqual({
    node: 'n1',
    storage: 'local',
    content: 'iso',
    filename: 'x.iso',
    url: 'https://example.org/x.iso',
    checksum: 'a'.repeat(64),
    'checksum-algorithm': 'sha256',
  })
})
