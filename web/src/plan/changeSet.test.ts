import { describe, expect, it } from 'vitest'
import { doneCount, nextStep, type StepState, sayProblem, started, tokenOf, withState } from '@/plan/changeSet'

const planned: StepState = { kind: 'planned', planned: { plan: {} as never, token: 't' } }

describe('change sets', () => {
  it('go on at the first step that is not done', () => {
    const states: StepState[] = [{ kind: 'done' }, planned, { kind: 'waiting' }]
    expect([nextStep(states), doneCount(states), started(states)]).toEqual([1, 1, true])
    expect(nextStep([{ kind: 'done' }])).toBe(1)
    expect(started([planned])).toBe(false)
    expect(withState(states, 1, { kind: 'done' })[1]).toEqual({ kind: 'done' })
    expect(tokenOf(planned)).toBe('t')
    expect(tokenOf({ kind: 'waiting' })).toBeUndefined()
  })

  it('hide nothing of what failed', () => {
    expect(sayProblem({ kind: 'refused', message: 'no', errors: { size: 'too small' } })).toBe('no\nsize: too small')
  })
})
