/** Several calls in one dialog: each is planned, then they are applied in order. Stops at the first that fails. */
import { Alert, Badge, Button, Collapse, Group, Stack, Text, UnstyledButton } from '@mantine/core'
import { IconCheck, IconChevronDown, IconX } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type ChangeStep, doneCount, nextStep, type StepState, sayProblem, started } from '@/plan/changeSet'
import { DialogFrame } from '@/plan/DialogFrame'
import { PlanView } from '@/plan/PlanView'
import { useChangeSet } from '@/plan/useChangeSet'
import dialog from './ChangeDialog.module.css'
import classes from './ChangeSetDialog.module.css'
import plan from './PlanView.module.css'

export interface ChangeSetDialogProps {
  opened: boolean
  onClose: () => void
  title: string
  steps: readonly ChangeStep[]
  /** What the button says. */
  submit: string
  danger?: boolean
  size?: string
  /** Stands above the steps. */
  summary?: ReactNode
  /** All steps are done. */
  onDone?: () => void
}

export function ChangeSetDialog(props: ChangeSetDialogProps) {
  return (
    <DialogFrame opened={props.opened} onClose={props.onClose} title={props.title} size={props.size}>
      <Inside {...props} />
    </DialogFrame>
  )
}

function Inside({ steps: given, summary, submit, danger, onClose, onDone }: ChangeSetDialogProps) {
  const { t } = useTranslation(['plan', 'common'])
  const [steps] = useState(given) // what is being applied must not change meanwhile
  const set = useChangeSet(steps)
  const begun = started(set.states)
  const failed = set.states.some((state) => state.kind === 'failed')
  const over = nextStep(set.states) === steps.length

  async function apply(): Promise<void> {
    if (await set.apply()) onDone?.()
  }

  return (
    <div className={dialog.form} aria-busy={set.busy}>
      <div className={dialog.scroll}>
        {summary}
        {failed && (
          <Alert color="red" variant="outline" title={t('common:failed')} classNames={{ title: plan.failure }}>
            {t('set.stopped')}
          </Alert>
        )}
        <ol className={classes.steps} aria-label={t('set.steps')}>
          {steps.map((step, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the steps stay as they are
            <Step key={place} step={step} state={set.states[place] ?? { kind: 'waiting' }} stopped={failed} />
          ))}
        </ol>
        <Text size="sm" role="status" className="numeric">
          {begun && t('set.progress', { done: doneCount(set.states), count: steps.length })}
        </Text>
      </div>
      <div className={dialog.actions}>
        <span className={dialog.space} />
        <Button variant="default" onClick={onClose} data-autofocus>
          {begun ? t('common:close') : t('common:cancel')}
        </Button>
        {!begun && (
          <Button variant="light" className={dialog.review} onClick={() => void set.review()} loading={set.busy}>
            {t('common:review')}
          </Button>
        )}
        {!over && (
          <Button color={danger ? 'red' : undefined} onClick={() => void apply()} loading={set.busy}>
            {failed ? t('set.retry') : submit}
          </Button>
        )}
      </div>
    </div>
  )
}

type Shown = 'waiting' | 'planning' | 'planned' | 'applying' | 'done' | 'failed' | 'skipped'
const COLORS: Partial<Record<Shown, string>> = { done: 'green', failed: 'red', applying: 'blue', planned: 'gray' }

function shownState(state: StepState, stopped: boolean): Shown {
  if (stopped && (state.kind === 'waiting' || state.kind === 'planned' || state.kind === 'unplanned')) return 'skipped'
  return state.kind === 'unplanned' ? 'waiting' : state.kind
}

function Step({ step, state, stopped }: { step: ChangeStep; state: StepState; stopped: boolean }) {
  const { t } = useTranslation('plan')
  const shown = shownState(state, stopped)
  return (
    <li className={classes.step}>
      <Group justify="space-between" gap="xs">
        <Text fw={500} style={{ overflowWrap: 'anywhere' }}>
          {step.label}
        </Text>
        <Badge
          variant="light"
          color={COLORS[shown] ?? 'gray'}
          tt="none"
          className={classes.badge}
          leftSection={
            shown === 'done' ? (
              <IconCheck size={12} aria-hidden />
            ) : (
              shown === 'failed' && <IconX size={12} aria-hidden />
            )
          }
        >
          {t(`set.state.${shown}`)}
        </Badge>
      </Group>
      {state.kind === 'failed' && (
        <Text size="sm" className={classes.reason}>
          {state.problem.kind === 'unreachable' ? t('unreachable.title') : sayProblem(state.problem)}
        </Text>
      )}
      {state.kind === 'unplanned' && (
        <Text size="sm" c="dimmed" className={classes.reason}>
          {t('set.later', { reason: state.reason })}
        </Text>
      )}
      {state.kind === 'planned' && <StepPlan label={step.label} state={state} node={String(step.params.node ?? '')} />}
    </li>
  )
}

function StepPlan({
  label,
  state,
  node,
}: {
  label: string
  state: Extract<StepState, { kind: 'planned' }>
  node: string
}) {
  const { t } = useTranslation('plan')
  const [opened, setOpened] = useState(true)
  return (
    <Stack gap={4}>
      <UnstyledButton
        className={classes.toggle}
        aria-expanded={opened}
        onClick={() => setOpened(!opened)}
        aria-label={t('set.showPlan', { label })}
      >
        <IconChevronDown size={14} aria-hidden data-opened={opened || undefined} /> {t('plan')}
      </UnstyledButton>
      <Collapse expanded={opened}>
        <PlanView planned={state.planned} node={node || undefined} label={t('set.showPlan', { label })} />
      </Collapse>
    </Stack>
  )
}
