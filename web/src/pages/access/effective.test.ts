import { expect, test } from 'vitest'
import {
  type AclEntry,
  compare,
  effective,
  losesByNew,
  losesOwn,
  normalPath,
  telling,
  upwards,
  type World,
} from '@/pages/access/effective'

const entry = (path: string, ugid: string, roleid: string, propagate = true): AclEntry => ({
  path,
  type: ugid.startsWith('@') ? 'group' : ugid.includes('!') ? 'token' : 'user',
  ugid: ugid.replace(/^@/, ''),
  roleid,
  propagate,
})

function world(acl: AclEntry[], more: Partial<World> = {}): World {
  return {
    acl,
    groups: new Map([['joe@pve', ['ops', 'dev']]]),
    roles: new Map([
      ['NoAccess', new Set<string>()],
      ['Audit', new Set(['VM.Audit'])],
      ['User', new Set(['VM.Audit', 'VM.Console', 'VM.PowerMgmt'])],
      ['Admin', new Set(['VM.Audit', 'Sys.Audit', 'Permissions.Modify'])],
    ]),
    pools: new Map([['/vms/100', ['/pool/lab']]]),
    tokens: new Map([
      ['joe@pve!full', false],
      ['joe@pve!small', true],
    ]),
    ...more,
  }
}

const names = (of: World, who: string, path: string) => effective(of, who, path).held.map((each) => each.privilege)

test('paths have one form and a way up', () => {
  expect(normalPath('vms//100/')).toBe('/vms/100')
  expect(normalPath('')).toBe('/')
  expect(upwards('/vms/100')).toEqual(['/vms/100', '/vms', '/'])
})

test('an entry counts below its path when it propagates, and only there when not', () => {
  expect(names(world([entry('/', 'joe@pve', 'User')]), 'joe@pve', '/vms/100')).toContain('VM.Console')
  expect(names(world([entry('/', 'joe@pve', 'User', false)]), 'joe@pve', '/vms/100')).toEqual([])
  expect(names(world([entry('/', 'joe@pve', 'User', false)]), 'joe@pve', '/')).toContain('VM.Console')
})

test('a nearer entry replaces what comes from above', () => {
  const verdict = effective(
    world([entry('/', 'joe@pve', 'Admin'), entry('/vms', 'joe@pve', 'Audit')]),
    'joe@pve',
    '/vms/101',
  )
  expect(verdict.held.map((each) => each.privilege)).toEqual(['VM.Audit'])
  expect(verdict.replaced.map((each) => each.roleid)).toEqual(['Admin'])
})

test("one's own entries replace those of one's groups on the same level, groups add up", () => {
  const acl = [entry('/vms', '@ops', 'User'), entry('/vms', '@dev', 'Admin')]
  expect(names(world(acl), 'joe@pve', '/vms/100')).toEqual([
    'Permissions.Modify',
    'Sys.Audit',
    'VM.Audit',
    'VM.Console',
    'VM.PowerMgmt',
  ])
  expect(names(world([...acl, entry('/vms', 'joe@pve', 'Audit')]), 'joe@pve', '/vms/100')).toEqual(['VM.Audit'])
})

test('each privilege names all entries that give it', () => {
  const verdict = effective(world([entry('/vms', '@ops', 'User'), entry('/vms', '@dev', 'Admin')]), 'joe@pve', '/vms')
  const audit = verdict.held.find((each) => each.privilege === 'VM.Audit')
  expect(audit?.sources.map(({ entry: { ugid, roleid } }) => `${ugid}:${roleid}`)).toEqual(['ops:User', 'dev:Admin'])
})

test('NoAccess leaves nothing beside it', () => {
  const verdict = effective(
    world([entry('/vms', '@ops', 'User'), entry('/vms', '@dev', 'NoAccess')]),
    'joe@pve',
    '/vms/100',
  )
  expect(verdict.held).toEqual([])
  expect(verdict.denied.map((each) => each.entry.ugid)).toEqual(['dev'])
})

test('entries on a pool count on its members, beside their own, and do not propagate', () => {
  const verdict = effective(
    world([entry('/vms/100', 'joe@pve', 'Audit'), entry('/pool/lab', '@ops', 'User')]),
    'joe@pve',
    '/vms/100',
  )
  const console = verdict.held.find((each) => each.privilege === 'VM.Console')
  expect(console?.sources[0]?.pool).toBe('/pool/lab')
  expect(console?.propagate).toBe(false)
  expect(names(world([entry('/pool/lab', '@ops', 'User')]), 'joe@pve', '/vms/101')).toEqual([])
})

test('what a pool inherits from above counts on its members too', () => {
  const acl = [entry('/', 'joe@pve', 'User'), entry('/vms', 'joe@pve', 'Audit')]
  expect(names(world(acl), 'joe@pve', '/vms/100')).toContain('VM.Console')
})

test('NoAccess on a pool closes its members', () => {
  const acl = [entry('/vms', 'joe@pve', 'User'), entry('/pool/lab', 'joe@pve', 'NoAccess')]
  expect(names(world(acl), 'joe@pve', '/vms/100')).toEqual([])
  expect(names(world(acl), 'joe@pve', '/vms/101')).toContain('VM.Console')
})

test('a separated token has no more than its user; another has what its user has', () => {
  const acl = [entry('/vms', 'joe@pve', 'User'), entry('/vms', 'joe@pve!small', 'Admin')]
  expect(names(world(acl), 'joe@pve!full', '/vms/100')).toContain('VM.Console')
  const small = effective(world(acl), 'joe@pve!small', '/vms/100')
  expect(small.held.map((each) => each.privilege)).toEqual(['VM.Audit'])
  expect(small.lacking).toEqual(['Permissions.Modify', 'Sys.Audit'])
})

test('entries with roles that are gone count for nothing', () => {
  expect(names(world([entry('/', 'joe@pve', 'Gone'), entry('/', '@ops', 'Audit')]), 'joe@pve', '/')).toEqual([
    'VM.Audit',
  ])
})

test('two users side by side', () => {
  expect(compare(['a', 'c'], ['b', 'c'])).toEqual([
    { privilege: 'a', left: true, right: false },
    { privilege: 'b', left: false, right: true },
    { privilege: 'c', left: true, right: true },
  ])
})

test('who takes away an entry that gives it something is warned', () => {
  const mine = entry('/', 'joe@pve', 'Admin')
  const doubled = entry('/', '@ops', 'Admin')
  expect(losesOwn(world([mine]), 'joe@pve', [mine])).toBe(true)
  expect(losesOwn(world([mine, doubled]), 'joe@pve', [mine])).toBe(false)
  expect(losesOwn(world([mine]), 'ann@pve', [mine])).toBe(false)
})

test('who would lose rights by a new entry is warned: it replaces what comes from above', () => {
  const before = world([entry('/', 'joe@pve', 'Admin')])
  expect(losesByNew(before, 'joe@pve', [entry('/vms/101', '@ops', 'User')])).toBe(true)
  expect(losesByNew(before, 'joe@pve', [entry('/vms/101', 'ann@pve', 'User')])).toBe(false)
  expect(losesByNew(before, 'joe@pve', [entry('/vms', 'joe@pve', 'Admin')])).toBe(false)
})

test('paths that only repeat what is above them are left out', () => {
  const granted = {
    '/': { 'VM.Audit': 1, 'Sys.Audit': 0 },
    '/vms': { 'VM.Audit': 1 },
    '/vms/100': { 'VM.Audit': 1, 'VM.Console': 1 },
    '/vms/101': { 'VM.Audit': 1 },
  }
  expect(telling(granted)).toEqual(['/', '/vms/100'])
})
