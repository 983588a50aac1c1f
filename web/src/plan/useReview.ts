/** Reviewing a change and applying exactly what was reviewed: for dialogs, and for pages that embed a `PlanView`. */
import { useCallback, useRef, useState } from 'react'
import { ApiError, call, type Operation, type Params, type Planned, plan, type Result } from '@/api/client'
import { Keys, outcomeUnknown, type Problem, problemOf } from '@/plan/problem'
import { followTask, isUpid, showError } from '@/ui/act'

export interface ReviewOptions<O extends Operation> {
  /** For the toast that follows a task. */
  title: string
  operation: O
  /** The parameters as the form has them now; may throw to say that the form isn't complete. */
  params: () => Params<O>
  onErrors?: (errors: Record<string, string>) => void
  onDone?: (result: Result<O>) => void
}

export interface Review<O extends Operation> {
  /** The plan being looked at. */
  planned: Planned | null
  /** What `planned` is the plan of. */
  of: { operation: O; params: Params<O> } | null
  busy: 'planning' | 'applying' | null
  problem: Problem | null
  /** Make the plan; answers whether there is one. */
  review: () => Promise<boolean>
  /** Do it: as planned, if there is a plan. Answers whether it is done (or its task has begun). */
  apply: () => Promise<boolean>
  /** Back to the form. */
  edit: () => void
  reset: () => void
}

type Made<O extends Operation> = { planned: Planned; operation: O; params: Params<O> }

export function useReview<O extends Operation>(options: ReviewOptions<O>): Review<O> {
  const [made, setMade] = useState<Made<O> | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [busy, setBusy] = useState<Review<O>['busy']>(null)
  const keys = useRef(new Keys())
  // A dialog that was closed while its call was under way must not be filled by the answer.
  const turn = useRef(0)

  async function attempt(
    kind: 'planning' | 'applying',
    step: (mine: () => boolean) => Promise<void>,
  ): Promise<boolean> {
    if (busy) return false
    const own = ++turn.current
    const mine = () => own === turn.current
    setBusy(kind)
    // The old plan still stands there while it is made again.
    setProblem((before) => (kind === 'planning' && before?.kind === 'stale' ? before : null))
    options.onErrors?.({})
    try {
      await step(mine)
      return true
    } catch (caught) {
      if (!outcomeUnknown(caught)) keys.current.done()
      if (mine()) failed(caught)
      else if (kind === 'applying') showError(options.title, caught) // its dialog is closed
      return false
    } finally {
      if (mine()) setBusy(null)
    }
  }

  function failed(caught: unknown): void {
    const found = problemOf(caught)
    setProblem(found)
    // What must be mended in the form is shown beside it; a plan that no longer holds stays to be compared.
    if (found.kind === 'refused' || found.kind === 'incomplete' || found.kind === 'unplannable') setMade(null)
    if (caught instanceof ApiError && found.kind === 'refused') options.onErrors?.(caught.errors)
  }

  const review = () =>
    attempt('planning', async (mine) => {
      const { operation } = options
      const params = options.params()
      const planned = await plan(operation, params)
      if (!mine()) return
      setMade({ planned, operation, params })
      setProblem(null)
    })

  const apply = () =>
    attempt('applying', async (mine) => {
      const operation = made?.operation ?? options.operation
      const params = made?.params ?? options.params()
      const idempotencyKey = keys.current.for(operation, params)
      const result = await call(operation, params, { apply: made?.planned.token, idempotencyKey })
      keys.current.done()
      if (isUpid(result)) followTask(options.title, result)
      if (mine()) setMade(null)
      options.onDone?.(result)
    })

  const reset = useCallback(() => {
    turn.current += 1
    setMade(null)
    setProblem(null)
    setBusy(null)
  }, [])

  function edit(): void {
    setMade(null)
    setProblem(null)
  }

  return { planned: made?.planned ?? null, of: made, busy, problem, review, apply, edit, reset }
}
