import { expect, test } from 'vitest'
import { inventoryOf } from '@/live/rows'
import { filtered, flatten, forest, type Item, type View } from '@/shell/tree/forest'
import { moveFor, typeAhead } from '@/shell/tree/keys'

const WORDS = { favourites: 'Favourites', recent: 'Recent', noPool: 'No pool', noTags: 'No tags' }
const FACTS = inventoryOf([
  { type: 'node', node: 'n1' },
  { type: 'node', node: 'n2' },
  { type: 'qemu', vmid: 100, name: 'web', node: 'n1', tags: 'prod;eu', pool: 'a/b' },
  { type: 'qemu', vmid: 101, name: 'db', node: 'n1', pool: 'a' },
  { type: 'qemu', vmid: 102, name: 'mail', node: 'n2' },
  { type: 'storage', storage: 'local', node: 'n1' },
  { type: 'storage', storage: 'local', node: 'n2' },
  { type: 'storage', storage: 'fast', node: 'n2' },
  { type: 'pool', pool: 'a' },
  { type: 'pool', pool: 'a/b' },
])
const shown = (items: Item[]) => items.map((item) => `${' '.repeat(item.level - 1)}${item.branch.label}`)
const tree = (view: View, filter = '') => flatten(filtered(forest(FACTS, view, WORDS, [], []), filter), () => true)

test('by server: guests, then storages', () => {
  expect(shown(tree('server'))).toEqual(['n1', ' web', ' db', ' local', 'n2', ' mail', ' fast', ' local'])
})

test('by pool: pools in one another, then guests without', () => {
  expect(shown(tree('pools'))).toEqual(['a', ' b', '  web', ' db', 'No pool', ' mail'])
})

test('by tag: a guest below each of its tags', () => {
  expect(shown(tree('tags'))).toEqual(['eu', ' web', 'prod', ' web', 'No tags', ' db', ' mail'])
})

test('by storage: the nodes of each', () => {
  expect(shown(tree('storage'))).toEqual(['fast', 'local', ' n1', ' n2'])
})

test('no row has another’s id', () => {
  for (const view of ['server', 'pools', 'tags', 'storage'] as const) {
    const ids = tree(view).map((item) => item.branch.id)
    expect(new Set(ids).size).toBe(ids.length)
  }
})

test('favourites and recent come first; what is gone is left out', () => {
  const items = flatten(forest(FACTS, 'server', WORDS, ['guest/101', 'guest/999'], ['storage/n1/local']), () => true)
  expect(shown(items).slice(0, 4)).toEqual(['Favourites', ' db', 'Recent', ' local'])
})

test('a filter leaves what fits by name or number, and what is above it', () => {
  expect(shown(tree('server', 'we'))).toEqual(['n1', ' web'])
  expect(shown(tree('server', '102'))).toEqual(['n2', ' mail'])
})

test('rows tell how many they are among', () => {
  expect(
    tree('server')
      .slice(0, 2)
      .map(({ at, of, level }) => [at, of, level]),
  ).toEqual([
    [1, 2, 1],
    [1, 3, 2],
  ])
})

test('arrows go along the rows, in and out of branches', () => {
  const items = tree('server')
  const at = (index: number, key: string) => moveFor(items, index, { key, shiftKey: false }, 5)
  expect(at(0, 'ArrowDown')).toEqual({ kind: 'go', index: 1 })
  expect(at(0, 'ArrowRight')).toEqual({ kind: 'go', index: 1 })
  expect(at(0, 'ArrowLeft')).toEqual({ kind: 'toggle', index: 0 })
  expect(at(2, 'ArrowLeft')).toEqual({ kind: 'go', index: 0 })
  expect(at(2, 'ArrowRight')).toBeNull()
  expect(at(0, 'End')).toEqual({ kind: 'go', index: 7 })
  expect(at(1, 'Enter')).toEqual({ kind: 'open', index: 1 })
  expect(at(0, 'PageDown')).toEqual({ kind: 'go', index: 5 })
  expect(moveFor(items, 1, { key: 'F10', shiftKey: true }, 5)).toEqual({ kind: 'menu', index: 1 })
})

test('typing goes to the next row that starts so', () => {
  const items = tree('server')
  expect(typeAhead(items, 0, 'm')).toBe(5)
  expect(typeAhead(items, 0, 'n')).toBe(4)
  expect(typeAhead(items, 4, 'n')).toBe(0)
  expect(typeAhead(items, 0, '101')).toBe(2)
  expect(typeAhead(items, 0, 'zz')).toBe(-1)
})

test('ten thousand guests are made into rows quickly', () => {
  const rows = Array.from({ length: 10_000 }, (_, at) => ({
    type: 'qemu',
    vmid: at + 100,
    name: `guest-${at}`,
    node: 'n1',
  }))
  const facts = inventoryOf([{ type: 'node', node: 'n1' }, ...rows])
  const begun = performance.now()
  const items = flatten(filtered(forest(facts, 'server', WORDS, [], []), '9'), () => true)
  expect(items.length).toBeGreaterThan(3000)
  expect(performance.now() - begun).toBeLessThan(200)
})
