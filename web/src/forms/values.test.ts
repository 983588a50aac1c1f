import { expect, test } from 'vitest'
import type { FieldSchema } from '@/forms/schema'
import { fieldOf, freeMember, members, paramsOf, placed, validate, valuesFrom } from '@/forms/values'

const NET: FieldSchema = {
  name: 'net',
  type: 'string',
  numbered: 2,
  prop: {
    defaultKey: 'model',
    fields: [
      { name: 'model', type: 'string', required: true, enum: ['virtio', 'e1000'] },
      { name: 'tag', type: 'integer', min: 1, max: 4094 },
    ],
  },
}
const FIELDS: FieldSchema[] = [
  { name: 'cores', type: 'integer', min: 1, max: 128 },
  { name: 'name', type: 'string', pattern: '^([a-z]+)$', maxLength: 5 },
  { name: 'onboot', type: 'boolean' },
  { name: 'bios', type: 'string', enum: ['seabios', 'ovmf'] },
  { name: 'users', type: 'string', list: { enum: ['a', 'b'] } },
  { name: 'command', type: 'array', list: { type: 'string' } },
  { name: 'password', type: 'string', secret: true, minLength: 5 },
  { name: 'limit', type: 'number' },
  { name: 'delete', type: 'string', list: {} },
  { name: 'digest', type: 'string' },
  NET,
]
const UPDATE = { fields: FIELDS }
const WITHOUT_DELETE = { fields: FIELDS.filter(({ name }) => name !== 'delete') }

test('members of a family are known up to the highest number', () => {
  expect(fieldOf(FIELDS, 'net2')).toBe(NET)
  expect(fieldOf(FIELDS, 'net3')).toBeUndefined()
  expect(fieldOf(FIELDS, 'net')).toBeUndefined()
  expect(members({ net2: 'x', net0: 'y', network: 'z' }, 'net')).toEqual([0, 2])
  expect(freeMember({ net0: 'x' }, NET)).toBe(1)
  expect(freeMember({ net0: 'x', net1: 'x', net2: 'x' }, NET)).toBeUndefined()
})

test('an answer becomes values; secrets stay unset', () => {
  const answer = { cores: 2, onboot: 1, command: ['ls', '-l'], password: '***', other: 1, net0: 'virtio', bios: null }
  expect(valuesFrom(FIELDS, answer)).toEqual({ cores: '2', onboot: '1', command: 'ls\n-l', net0: 'virtio' })
})

test('only what was changed is sent, cleared fields are named in delete, the digest goes along', () => {
  const before = { cores: '2', bios: 'ovmf', net0: 'virtio', digest: 'abc' }
  const after = { ...before, cores: '4', bios: '', net0: '', net1: 'e1000', onboot: '0' }
  expect(paramsOf(UPDATE, after, before, { vmid: 100 })).toEqual({
    cores: 4,
    onboot: 0,
    net1: 'e1000',
    delete: 'bios,net0',
    digest: 'abc',
    vmid: 100,
  })
})

test('without a parameter for it, a text is cleared by an empty one, and a flag not at all', () => {
  expect(paramsOf(WITHOUT_DELETE, { name: '', onboot: '' }, { name: 'web', onboot: '1' })).toEqual({ name: '' })
})

test('a flag called delete is a flag', () => {
  const fields: FieldSchema[] = [
    { name: 'delete', type: 'boolean' },
    { name: 'vms', type: 'string', list: {} },
  ]
  expect(paramsOf({ fields }, { delete: '1', vms: '100,101' })).toEqual({ delete: 1, vms: '100,101' })
})

test('words of an array are sent as such', () => {
  expect(paramsOf(UPDATE, { command: 'ls\n-l' })).toEqual({ command: ['ls', '-l'] })
})

test('faults are those that the API would find', () => {
  const wrong = { cores: '200', name: 'toolongname', bios: 'x', users: 'a,c', limit: '1x', password: 'abc' }
  expect(validate(FIELDS, wrong)).toEqual({
    cores: { key: 'max', values: { max: 128 } },
    name: { key: 'maxLength', values: { maxLength: 5 } },
    bios: { key: 'enum' },
    users: { key: 'enum' },
    limit: { key: 'number' },
    password: { key: 'minLength', values: { minLength: 5 } },
  })
  expect(validate(FIELDS, { cores: '1.5', name: 'A1' })).toEqual({
    cores: { key: 'integer' },
    name: { key: 'pattern' },
  })
  expect(validate(FIELDS, { cores: '8', name: 'web', net0: 'virtio,tag=5', limit: '1.5e1' })).toEqual({})
})

test('keys of a property string have faults of their own', () => {
  expect(validate(FIELDS, { net1: 'tag=9999' })).toEqual({
    'net1.model': { key: 'required' },
    'net1.tag': { key: 'max', values: { max: 4094 } },
  })
})

test('what is required must be there, and what another one requires', () => {
  const fields: FieldSchema[] = [
    { name: 'userid', type: 'string', required: true },
    { name: 'checksum', type: 'string', requires: 'algorithm' },
    { name: 'algorithm', type: 'string' },
  ]
  expect(validate(fields, { checksum: 'x' })).toEqual({
    userid: { key: 'required' },
    algorithm: { key: 'requires', values: { other: 'checksum' } },
  })
})

test('a pattern that the browser can not read is left to the API', () => {
  expect(validate([{ name: 'a', type: 'string', pattern: '(?<n>' }], { a: 'x' })).toEqual({})
})

test("the API's errors land at their fields", () => {
  const errors = {
    cores: 'value must have a maximum value of 128\n',
    net0: "invalid format - format error\nnet.model: value 'x' is wrong\nnet.tag: too big\n",
    'net1.model': 'nested already',
    'command[0]': 'odd word',
    vmid: 'VM 100 already exists',
  }
  expect(placed(errors, FIELDS)).toEqual({
    faults: {
      cores: 'value must have a maximum value of 128',
      'net0.model': "value 'x' is wrong",
      'net0.tag': 'too big',
      'net1.model': 'nested already',
      command: 'odd word',
    },
    rest: { vmid: 'VM 100 already exists' },
  })
})
