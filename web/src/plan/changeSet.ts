/** Several calls, one after another: what is known of each. Pure. */
import type { Operation, Planned } from '@/api/client'
import type { Problem } from '@/plan/problem'

export interface ChangeStep {
  label: string
  operation: Operation
  params: Record<string, unknown>
}

export type StepState =
  | { kind: 'waiting' }
  | { kind: 'planning' }
  | { kind: 'planned'; planned: Planned }
  /** It has no plan (yet): of its kind, or since it needs what the steps before it make. */
  | { kind: 'unplanned'; reason: string }
  | { kind: 'applying'; planned?: Planned }
  | { kind: 'done' }
  | { kind: 'failed'; problem: Problem }

export const started = (states: readonly StepState[]): boolean =>
  states.some((state) => state.kind === 'applying' || state.kind === 'done' || state.kind === 'failed')

export const doneCount = (states: readonly StepState[]): number =>
  states.filter((state) => state.kind === 'done').length

/** The first step that is not done; the number of steps when all are. */
export function nextStep(states: readonly StepState[]): number {
  const found = states.findIndex((state) => state.kind !== 'done')
  return found < 0 ? states.length : found
}

export const withState = (states: readonly StepState[], place: number, state: StepState): StepState[] =>
  states.map((each, other) => (other === place ? state : each))

/** What applies the step as it was planned. */
export const tokenOf = (state: StepState | undefined): string | undefined =>
  state && 'planned' in state ? state.planned?.token : undefined

/** What a problem says, in a line. */
export function sayProblem(problem: Problem): string {
  if (problem.kind === 'unplannable') return problem.reason
  if (problem.kind === 'unreachable') return ''
  const errors = problem.kind === 'refused' ? Object.entries(problem.errors) : []
  return [problem.message, ...errors.map(([name, text]) => `${name}: ${text}`)].join('\n')
}
