import { expect, test } from 'vitest'
import { depends } from '@/live/changes'

test('a guest’s record touches its own pages and lists of guests, not other guests', () => {
  const config = 'GET /nodes/{node}/qemu/{vmid}/config'
  expect(depends(config, { vmid: 100 }, 'guest/100')).toBe(true)
  expect(depends(config, { vmid: 100 }, 'guest/101')).toBe(false)
  expect(depends('GET /nodes/{node}/qemu', { node: 'n1' }, 'guest/101')).toBe(true)
  expect(depends('GET /nodes/{node}/storage/{storage}/content', {}, 'guest/101')).toBe(true)
  expect(depends('GET /access/users', {}, 'guest/101')).toBe(false)
})

test('a node’s record touches that node only', () => {
  expect(depends('GET /nodes/{node}/dns', { node: 'n1' }, 'node/n1')).toBe(true)
  expect(depends('GET /nodes/{node}/dns', { node: 'n2' }, 'node/n1')).toBe(false)
})

test('records of access touch permissions, and history hears of all', () => {
  expect(depends('GET /access/permissions', {}, 'user.cfg')).toBe(true)
  expect(depends('GET /cluster/options', {}, 'datacenter.cfg')).toBe(true)
  expect(depends('GET /cluster/history', {}, 'anything')).toBe(true)
})
