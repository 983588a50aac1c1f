import { expect, it } from 'vitest'
import type { Guest } from '@/live/types'
import { poolEntries } from './entries'

it('adds up the guests of each pool', () => {
  const guests = [
    { pool: 'prod', status: 'running', maxmem: 1 },
    { pool: 'prod', status: 'stopped', maxmem: 2 },
    { status: 'running', maxmem: 4 },
  ] as Guest[]
  const comments = [{ poolid: 'prod', comment: 'Production' }, { poolid: 'test' }]
  expect(poolEntries([{ kind: 'pool', pool: 'prod' }], comments, guests)).toEqual([
    { pool: 'prod', comment: 'Production', guests: 2, running: 1, memory: 3 },
    { pool: 'test', comment: '', guests: 0, running: 0, memory: 0 },
  ])
})
