import { describe, expect, it } from 'vitest'
import { ApiError, Unreachable } from '@/api/client'
import { Keys, outcomeUnknown, problemOf } from '@/plan/problem'

describe('problemOf', () => {
  it('tells a plan that no longer holds', () => {
    const changed = new ApiError(500, "'guest/100' has changed since the plan was made; plan again")
    const old = new ApiError(400, 'Parameter verification failed.', {
      'corral-apply': 'the plan is older than an hour; plan again',
    })
    expect(problemOf(changed).kind).toBe('stale')
    expect(problemOf(old)).toEqual({ kind: 'stale', message: 'the plan is older than an hour; plan again' })
  })

  it('tells why there is no plan', () => {
    const error = new ApiError(400, 'Parameter verification failed.', {
      'corral-plan': "this call can't be planned: each call has its own",
    })
    expect(problemOf(error)).toEqual({ kind: 'unplannable', reason: 'each call has its own' })
  })

  it('keeps the parameters that are wrong', () => {
    expect(problemOf(new ApiError(400, 'no', { memory: 'too small' }))).toMatchObject({
      errors: { memory: 'too small' },
    })
    expect(problemOf(new Unreachable('x')).kind).toBe('unreachable')
    expect(problemOf(new Error('name it')).kind).toBe('incomplete')
  })
})

describe('Keys', () => {
  it('stays for the same call until its outcome is known', () => {
    const keys = new Keys()
    const first = keys.for('POST /x', { a: 1 })
    expect(keys.for('POST /x', { a: 1 })).toBe(first)
    expect(keys.for('POST /x', { a: 2 })).not.toBe(first)
    const again = keys.for('POST /x', { a: 2 })
    keys.done()
    expect(keys.for('POST /x', { a: 2 })).not.toBe(again)
  })

  it('knows which failures leave the outcome open', () => {
    expect(outcomeUnknown(new Unreachable('x'))).toBe(true)
    expect(outcomeUnknown(new ApiError(595, 'node away'))).toBe(true)
    expect(outcomeUnknown(new ApiError(500, 'refused'))).toBe(false)
  })
})
