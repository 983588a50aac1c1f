import { expect, test } from 'vitest'
import { permissionOf } from '@/forms/permissions'

test.each([
  [
    { user: 'all', description: 'open' },
    { kind: 'loggedIn', why: 'open' },
  ],
  [
    { user: 'world', description: 'open' },
    { kind: 'everyone', why: 'open' },
  ],
  [
    { root_only: true, description: 'why' },
    { kind: 'rootOnly', why: 'why' },
  ],
  [
    { check: ['perm', '/vms/{vmid}', ['VM.Audit', 'VM.Console'], 'any', 1] },
    { kind: 'privileges', path: '/vms/{vmid}', privileges: ['VM.Audit', 'VM.Console'], any: true },
  ],
  [
    { check: ['or', ['userid-param', 'self'], ['perm', '/', ['Sys.Audit']]] },
    {
      kind: 'anyOf',
      parts: [{ kind: 'self' }, { kind: 'privileges', path: '/', privileges: ['Sys.Audit'], any: false }],
    },
  ],
  [{ check: ['new-kind', 1] }, { kind: 'other', text: '["new-kind",1]' }],
])('%j is read', (dump, permission) => {
  expect(permissionOf(dump)).toEqual(permission)
})
