import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { en } from '@/locales/en'
import { areaOf, byArea, keyOf } from '@/pages/access/privileges'

test('privileges stand under their areas', () => {
  expect(areaOf('VM.Config.Disk')).toBe('VM')
  expect(areaOf('Realm.AllocateUser')).toBe('Access')
  expect(byArea(['Sys.Audit', 'VM.Console', 'VM.Audit', 'New.Thing'])).toEqual([
    ['VM', ['VM.Audit', 'VM.Console']],
    ['Sys', ['Sys.Audit']],
    ['New', ['New.Thing']],
  ])
})

test('every privilege that the API has is described', () => {
  const source = readFileSync(new URL('../../../../src/corral/access/privileges.py', import.meta.url), 'utf8')
  const declared = new Set(source.match(/\b(?:VM|Sys|Datastore|SDN|Realm|User|Group|Pool|Mapping)\.[A-Z][A-Za-z.]+/g))
  expect(declared.size).toBeGreaterThan(40)
  const described = Object.keys(en.access.privilege)
  for (const privilege of [...declared, 'Permissions.Modify']) {
    expect(described).toContain(keyOf(privilege).replace('privilege.', ''))
  }
})
