import { describe, expect, it } from 'vitest'
import {
  asked,
  byDay,
  changedIn,
  type Details,
  initials,
  newer,
  placeOf,
  type Row,
  reasonOf,
  sayChanges,
  searchOf,
  treeOf,
} from '@/pages/history/timeline'

const row = (revision: string, time: number): Row => ({
  revision,
  time,
  user: 'anna@pve',
  why: 'x',
  count: 1,
  records: [],
})

describe('rows', () => {
  it('are grouped by day', () => {
    const noon = new Date(2026, 10, 23, 12).getTime() / 1000
    const days = byDay([row('1.3', noon + 60), row('1.2', noon), row('1.1', noon - 86400)])
    expect(days.map((day) => [day.day, day.rows.length])).toEqual([
      ['2026-11-23', 2],
      ['2026-11-22', 1],
    ])
  })

  it('are new when they are not known', () => {
    expect(newer([row('1.2', 2)], [row('1.3', 3), row('1.2', 2)]).map((each) => each.revision)).toEqual(['1.3'])
  })

  it('say why', () => {
    expect(reasonOf('UPID:n1:1:2:3:qmcreate:100:a@pve:')).toMatchObject({ kind: 'task', type: 'qmcreate' })
    expect(reasonOf('PUT /nodes/{node}/qemu/{vmid}/config').kind).toBe('call')
    expect(reasonOf('revert of revision 1.20')).toEqual({ kind: 'revert', revision: '1.20' })
    expect(reasonOf('first start')).toEqual({ kind: 'other', text: 'first start' })
  })

  it('say who', () => {
    expect([initials('anna.lee@pve'), initials('root@pam!ci'), initials('李明@pve'), initials('@')]).toEqual([
      'AL',
      'RO',
      '李明',
      '?',
    ])
  })
})

describe('summaries', () => {
  it('say short values and name long ones', () => {
    const changes = [
      { section: '', name: 'memory', before: '2048', after: '4096' },
      { section: '', name: 'net0', before: `virtio=${'x'.repeat(40)}`, after: undefined },
      { section: '', name: 'vmgenid', before: 'a', after: 'b' },
      { section: 'local', name: 'content', before: undefined, after: 'iso' },
      { section: '', name: 'name', before: 'a', after: 'b' },
    ]
    expect(sayChanges(changes)).toEqual({
      texts: ['memory: 2048 → 4096', '− net0', '+ local content: iso'],
      more: 1,
    })
  })

  it('come from the differences of all records', () => {
    const record = { key: 'guest/100', path: 'x', class: 'api', action: 'change' as const }
    const details: Details = {
      ...row('1.1', 1),
      records: [{ ...record, diff: '@@ -1 +1 @@\n-cores: 1\n+cores: 2\n' }, record],
    }
    expect(changedIn(details)).toEqual([{ key: 'guest/100', section: '', name: 'cores', before: '1', after: '2' }])
  })
})

describe('treeOf', () => {
  it('has directories first', () => {
    const tree = treeOf(['a.cfg', 'nodes/n/config', 'nodes/n/qemu-server/100.conf', 'nodes/n/qemu-server/99.conf'])
    expect(tree.map((branch) => branch.name)).toEqual(['nodes', 'a.cfg'])
    const node = tree[0]?.children?.[0]
    expect(node?.children?.map((branch) => branch.path)).toEqual(['nodes/n/qemu-server', 'nodes/n/config'])
    expect(node?.children?.[0]?.children?.map((branch) => branch.name)).toEqual(['99.conf', '100.conf'])
  })
})

describe('the URL', () => {
  it('keeps revisions whole', () => {
    const place = placeOf({ revision: 'r1.20', view: 'then', guest: 100, user: 'a@pve' })
    expect(place).toMatchObject({ revision: '1.20', view: 'then', vmid: 100, user: 'a@pve' })
    expect(placeOf(searchOf(place))).toEqual(place)
    expect(placeOf({ revision: 1.2, guest: 'x', view: 'else' })).toMatchObject({
      revision: undefined,
      vmid: undefined,
      view: 'changes',
    })
  })

  it('asks for days from their first to their last second', () => {
    const { since, until } = asked({ from: '2026-11-23', to: '2026-11-23' })
    expect(Number(until) - Number(since)).toBe(86399)
    expect(asked({ vmid: 100, path: 'x', from: 'nonsense' })).toEqual({ vmid: 100 })
  })
})
