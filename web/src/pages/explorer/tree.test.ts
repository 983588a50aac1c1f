import { expect, test } from 'vitest'
import type { OperationSchema } from '@/forms/schema'
import { countOf, treeOf } from '@/pages/explorer/tree'

const operation = (name: string, text: string): [string, OperationSchema] => {
  const [method, path] = name.split(' ') as ['GET', string]
  return [name, { name, method, path, text, fields: [], result: 'null', permissions: {} } as unknown as OperationSchema]
}
const SCHEMAS = new Map([
  operation('POST /nodes/{node}/qemu', 'Create a guest.'),
  operation('GET /nodes/{node}/qemu', 'List guests.'),
  operation('GET /nodes', 'List nodes.'),
  operation('GET /version', 'Version.'),
])

test('operations hang at their paths, GET first', () => {
  const root = treeOf(SCHEMAS, '', (text) => text)
  expect(root.children.map(({ segment }) => segment)).toEqual(['nodes', 'version'])
  const [node] = root.children[0]?.children ?? []
  expect(node?.children[0]?.path).toBe('/nodes/{node}/qemu')
  expect(node?.children[0]?.operations.map(({ method }) => method)).toEqual(['GET', 'POST'])
  expect(countOf(root)).toBe(4)
})

test('a filter finds words of the name, the text and its translation', () => {
  expect(countOf(treeOf(SCHEMAS, 'post qemu', (text) => text))).toBe(1)
  expect(countOf(treeOf(SCHEMAS, 'list', (text) => text))).toBe(2)
  expect(countOf(treeOf(SCHEMAS, '列出', (text) => text.replace('List', '列出')))).toBe(2)
})
