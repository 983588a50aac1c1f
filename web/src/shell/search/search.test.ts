import { expect, test } from 'vitest'
import { inventoryOf } from '@/live/rows'
import { find, guestHit, likeness, stackOf, textOf, thingStacks } from '@/shell/search/finder'
import { fuzzy } from '@/shell/search/fuzzy'
import { verbIn } from '@/shell/search/verbs'

const NAMES = [
  'postgres-main 101 db prod n1',
  'web-frontend 102 web n1',
  'mail 103 n2',
  'guest-1000 1000 n2',
  'registry 104 ci',
]

test.each([
  ['postgres', 0],
  ['postgers', 0],
  ['postgrs', 0],
  ['postgrees', 0],
  ['pstgres', 0],
  ['postgras', 0],
  ['opstgres', 0],
  ['frontned', 1],
  ['regsitry', 4],
  ['main postgres', 0],
  ['prod db', 0],
])('%s is found in spite of its spelling', (needle, expected) => {
  expect(fuzzy(NAMES, needle)[0]).toBe(expected)
})

test('numbers must be right', () => {
  expect(fuzzy(NAMES, '103')).toEqual([2])
  expect(fuzzy(NAMES, '109')).toEqual([])
})

test('the very thing comes first, then what begins so', () => {
  expect(['mail', 'mailer', 'webmail', 'mial'].map((title) => likeness(title, 'mail'))).toEqual([0, 1, 2, 3])
  expect(likeness('100 web', '100')).toBe(0)
})

test('groups with the better hits come first', () => {
  const all = inventoryOf([
    { type: 'node', node: 'web' },
    { type: 'qemu', vmid: 100, name: 'webmail', node: 'n1' },
    { type: 'storage', storage: 'cobweb', node: 'n1' },
  ])
  const guests = { texts: all.guestList.map(textOf), hit: (at: number) => guestHit(all.guestList[at] ?? never()) }
  expect(find([guests, ...thingStacks(all)], 'web').map((found) => found.group)).toEqual(['nodes', 'guests', 'storage'])
})

test('Chinese is found too', () => {
  const hits = ['节点', '存储', '访问控制'].map((title) => ({ id: title, group: 'places' as const, title }))
  expect(find([stackOf(hits)], '存储')[0]?.hits[0]?.title).toBe('存储')
})

test('a verb may be begun only, in either language', () => {
  expect(verbIn('sta 100')).toEqual({ verbs: ['start'], rest: '100' })
  expect(verbIn('s web 1')?.rest).toBe('web 1')
  expect(verbIn('web 100')).toBeNull()
  expect(verbIn('start')).toBeNull()
  expect(verbIn('console web')).toEqual({ verbs: ['console'], rest: 'web' })
})

test('ten thousand guests are searched in far less than a tenth of a second', () => {
  const words = ['web', 'db', 'mail', 'cache', 'build', 'postgres', 'proxy', 'metrics']
  const many = Array.from({ length: 10_000 }, (_, at) => `${words[at % 8]}-${at} ${at + 100} prod eu n${at % 3}`)
  for (const needle of ['p', 'postgres', 'postgers', 'web 12', '9', 'zzzzzz', 'prod n1']) {
    fuzzy(many, needle)
    const begun = performance.now()
    fuzzy(many, needle)
    expect(performance.now() - begun, needle).toBeLessThan(100)
  }
})

function never(): never {
  throw new Error('not reached')
}
