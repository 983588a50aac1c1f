import { describe, expect, it } from 'vitest'
import type { Guest } from '@/live/types'
import { applies, deleteJobs, poolJobs, powerJobs, tagJobs } from './jobs'

const guest = (vmid: number, more: Partial<Guest> = {}): Guest => ({
  kind: 'guest',
  vmid,
  type: 'qemu',
  name: `vm-${vmid}`,
  node: 'one',
  status: 'stopped',
  template: false,
  tags: [],
  uptime: 0,
  cpu: 0,
  maxcpu: 1,
  mem: 0,
  maxmem: 0,
  disk: 0,
  maxdisk: 0,
  diskread: 0,
  diskwrite: 0,
  netin: 0,
  netout: 0,
  ...more,
})
const params = (jobs: { params: unknown }[]) => jobs.map((job) => job.params)

describe('power', () => {
  it('is for guests that can', () => {
    const some = [guest(1), guest(2, { status: 'running' }), guest(3, { template: true })]
    expect(powerJobs('start', some).map(({ key }) => key)).toEqual(['1'])
    expect(powerJobs('stop', some)).toMatchObject([{ operation: 'POST /nodes/{node}/qemu/{vmid}/status/stop' }])
  })
  it('resumes only what is paused, and pauses only what is not', () => {
    const paused = guest(1, { status: 'running', qmpstatus: 'paused' })
    expect([applies('resume', paused), applies('suspend', paused)]).toEqual([true, false])
    expect(applies('resume', guest(1, { status: 'running' }))).toBe(false)
  })
})

describe('tags', () => {
  it('are changed only where they differ', () => {
    const some = [guest(1, { tags: ['a'] }), guest(2, { tags: ['a', 'b'] })]
    expect(params(tagJobs(some, ['b'], []))).toEqual([{ node: 'one', vmid: 1, tags: 'a;b' }])
  })
  it('are deleted when none is left', () => {
    expect(params(tagJobs([guest(1, { tags: ['a'] })], [], ['a']))).toEqual([{ node: 'one', vmid: 1, delete: 'tags' }])
  })
})

describe('pools', () => {
  const some = [guest(1, { pool: 'x' }), guest(2, { pool: 'y' }), guest(3)]
  it('are filled by one call', () => {
    expect(params(poolJobs(some, 'x'))).toEqual([{ poolid: 'x', vms: '2,3', 'allow-move': true }])
  })
  it('are left by one call each', () => {
    expect(params(poolJobs(some, null))).toEqual([
      { poolid: 'x', vms: '1', delete: true },
      { poolid: 'y', vms: '2', delete: true },
    ])
  })
})

it('deletes with what was chosen', () => {
  expect(params(deleteJobs([guest(1)], true, false))).toEqual([
    { node: 'one', vmid: 1, purge: true, 'destroy-unreferenced-disks': false },
  ])
})
