import { expect, test } from 'vitest'
import { parse, print } from '@/forms/propstring'
import type { PropSchema } from '@/forms/schema'

const NET: PropSchema = {
  defaultKey: 'model',
  folded: ['model', 'macaddr'],
  fields: [
    { name: 'model', type: 'string', required: true, enum: ['virtio', 'e1000'] },
    { name: 'macaddr', type: 'string' },
    { name: 'bridge', type: 'string' },
    { name: 'firewall', type: 'boolean' },
    { name: 'tag', type: 'integer' },
  ],
}
const DRIVE: PropSchema = {
  defaultKey: 'file',
  aliases: { volume: 'file' },
  fields: [
    { name: 'file', type: 'string', required: true },
    { name: 'size', type: 'string' },
    { name: 'cache', type: 'string' },
  ],
}
const PLAIN: PropSchema = { fields: [{ name: 'enabled', type: 'boolean' }] }

test('a value without a key belongs to the default key', () => {
  expect(parse('local:100/disk.qcow2,size=32G', DRIVE)).toEqual({
    parts: { file: 'local:100/disk.qcow2', size: '32G' },
    errors: {},
  })
})

test('a folded key names two', () => {
  const { parts, errors } = parse('virtio=BC:24:11:00:00:01,bridge=vmbr0', NET)
  expect(parts).toEqual({ model: 'virtio', macaddr: 'BC:24:11:00:00:01', bridge: 'vmbr0' })
  expect(errors).toEqual({})
})

test.each([
  ['virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1', NET],
  ['virtio,bridge=vmbr0', NET],
  ['macaddr=BC:24:11:00:00:01', NET],
  ['local:100/vm-100-disk-0.qcow2,cache=none,size=32G', DRIVE],
  ['file=a=b,size=1G', DRIVE],
  ['enabled=1', PLAIN],
  ['', NET],
])('%s is printed as it was read', (text, schema) => {
  expect(print(parse(text, schema).parts, schema)).toBe(text)
})

test('the default key comes first, the others in alphabetical order', () => {
  expect(print({ size: '1G', cache: 'none', file: 'a:1' }, DRIVE)).toBe('a:1,cache=none,size=1G')
})

test('a value with an equals sign keeps its key', () => {
  expect(print({ file: 'a=b' }, DRIVE)).toBe('file=a=b')
})

test('empty parts are left out', () => {
  expect(print({ model: 'e1000', bridge: '', tag: '' }, NET)).toBe('e1000')
})

test('flags have several spellings, and one when printed', () => {
  expect(print(parse('enabled=yes', PLAIN).parts, PLAIN)).toBe('enabled=1')
  expect(print(parse('enabled=Off', PLAIN).parts, PLAIN)).toBe('enabled=0')
})

test('old keys become new ones', () => {
  expect(parse('volume=a:1', DRIVE).parts).toEqual({ file: 'a:1' })
})

test('what is wrong is told, and the rest kept', () => {
  const { parts, errors } = parse('virtio,what=1,tag=1,tag=2', NET)
  expect(errors).toEqual({ what: 'unknown', tag: 'duplicate' })
  expect(parts).toEqual({ model: 'virtio', what: '1', tag: '1' })
  expect(parse('yes', PLAIN).errors).toEqual({ yes: 'noDefaultKey' })
  expect(parse('a\nb', DRIVE).errors).toEqual({ '': 'control' })
})
