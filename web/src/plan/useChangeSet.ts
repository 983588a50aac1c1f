import { useRef, useState } from 'react'
import { call, plan } from '@/api/client'
import { whenEnded } from '@/live/tasks'
import { type ChangeStep, nextStep, type StepState, sayProblem, tokenOf, withState } from '@/plan/changeSet'
import { Keys, outcomeUnknown, problemOf } from '@/plan/problem'
import { followTask, isUpid } from '@/ui/act'

export interface ChangeSet {
  states: readonly StepState[]
  busy: boolean
  /** Plan all that is not done. */
  review: () => Promise<void>
  /** Apply in order from the first that is not done, up to the first that fails. */
  apply: () => Promise<boolean>
}

/** Steps planned each, then applied in order. Tasks are waited for: the next step may need what they make. */
export function useChangeSet(steps: readonly ChangeStep[]): ChangeSet {
  const [states, setStates] = useState<readonly StepState[]>(() => steps.map(() => ({ kind: 'waiting' })))
  const [busy, setBusy] = useState(false)
  const now = useRef(states)
  const keys = useRef(steps.map(() => new Keys()))

  function put(place: number, state: StepState): void {
    now.current = withState(now.current, place, state)
    setStates(now.current)
  }

  async function look(place: number, step: ChangeStep): Promise<void> {
    put(place, { kind: 'planning' })
    try {
      put(place, { kind: 'planned', planned: await plan(step.operation, step.params as never) })
    } catch (error) {
      const problem = problemOf(error)
      put(place, { kind: 'unplanned', reason: sayProblem(problem) })
    }
  }

  async function review(): Promise<void> {
    setBusy(true)
    for (const [place, step] of steps.entries()) if (place >= nextStep(now.current)) await look(place, step)
    setBusy(false)
  }

  async function send(place: number, step: ChangeStep, token: string | undefined): Promise<void> {
    const key = keys.current[place] ?? new Keys()
    try {
      const idempotencyKey = key.for(step.operation, step.params)
      const result = await call(step.operation, step.params as never, { apply: token, idempotencyKey })
      key.done()
      if (isUpid(result)) await ended(step.label, result)
    } catch (error) {
      if (!outcomeUnknown(error)) key.done()
      throw error
    }
  }

  async function perform(place: number, step: ChangeStep): Promise<boolean> {
    const token = tokenOf(now.current[place])
    put(place, { kind: 'applying' })
    try {
      await send(place, step, token).catch(async (error: unknown) => {
        // The steps before this one have changed what its plan was made from: that was to be expected.
        if (place === 0 || problemOf(error).kind !== 'stale') throw error
        const planned = await plan(step.operation, step.params as never)
        await send(place, step, planned.token)
      })
      put(place, { kind: 'done' })
      return true
    } catch (error) {
      put(place, { kind: 'failed', problem: problemOf(error) })
      return false
    }
  }

  async function apply(): Promise<boolean> {
    setBusy(true)
    let good = true
    for (const [place, step] of steps.entries()) {
      if (place < nextStep(now.current)) continue
      good = await perform(place, step)
      if (!good) break
    }
    setBusy(false)
    return good
  }

  return { states, busy, review, apply }
}

async function ended(label: string, upid: string): Promise<void> {
  followTask(label, upid)
  const status = await whenEnded(upid)
  if (status !== 'OK' && !status.startsWith('WARNINGS')) throw new Error(status)
}
