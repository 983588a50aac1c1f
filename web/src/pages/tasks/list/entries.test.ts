import { describe, expect, it } from 'vitest'
import type { TaskInfo } from '@/live/types'
import { archiveParams, asksArchive, merged, wanted, wishOf } from './entries'

const task = (upid: string, more: Partial<TaskInfo> = {}): TaskInfo => ({
  upid,
  node: 'one',
  type: 'qmstart',
  id: '100',
  user: 'root@pam',
  starttime: 1000,
  ...more,
})

describe('the wish', () => {
  it('becomes the parameters of the call', () => {
    const wish = wishOf({ status: ['running', 'error'], id: ['100'], start: ['1h'], user: ['root'] }, 7230)
    expect(archiveParams(wish)).toEqual({
      source: 'archive',
      typefilter: undefined,
      userfilter: 'root',
      vmid: 100,
      since: 3600,
      statusfilter: 'error',
    })
    expect(asksArchive(wish)).toBe(true)
    expect(asksArchive(wishOf({ status: ['running'] }, 0))).toBe(false)
  })
  it('holds for tasks that events told of', () => {
    const failed = task('a', { status: 'no space', endtime: 1001 })
    expect(wanted(failed, wishOf({ status: ['error'] }, 0))).toBe(true)
    expect(wanted(failed, wishOf({ status: ['running'] }, 0))).toBe(false)
    expect(wanted(failed, wishOf({ node: ['two'] }, 0))).toBe(false)
  })
})

it('lists running tasks first, each once, and the newest word on it', () => {
  const archive = [task('a', { starttime: 3000, status: 'OK' }), task('b', { starttime: 1000, status: 'OK' })]
  const live = [
    task('c', { starttime: 2000, node: 'two' }),
    task('b', { starttime: 1000, status: 'WARNINGS: 1' }),
    task('d', { starttime: 4000, status: 'OK', node: 'two' }),
  ]
  const list = merged(live, archive, wishOf({}, 0), 'one')
  expect(list.map(({ upid, status }) => [upid, status])).toEqual([
    ['c', undefined],
    ['a', 'OK'],
    ['b', 'WARNINGS: 1'],
  ])
})
