/**
 * The frame of every dialog that changes something: its form, and below it Cancel, Review and the deed. Review asks the
 * API what the call would do and shows it; what was reviewed is applied exactly so.
 */
import { Button, Skeleton } from '@mantine/core'
import { type KeyboardEvent, type ReactNode, type RefObject, useCallback, useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { Operation, Params, Result } from '@/api/client'
import { useOperation } from '@/forms/schema'
import { CopyMenu } from '@/plan/CopyMenu'
import { DialogFrame } from '@/plan/DialogFrame'
import { PlanView } from '@/plan/PlanView'
import { ProblemAlert, Unplannable } from '@/plan/Problems'
import { type Review, useReview } from '@/plan/useReview'
import classes from './ChangeDialog.module.css'

export interface ChangeDialogProps<O extends Operation> {
  opened: boolean
  onClose: () => void
  title: string
  /** May change with the form's state. */
  operation: O
  /** The call's parameters as the form has them now; a function may throw to say that the form isn't complete. */
  params: () => Params<O>
  /** What the button says: `Create`, `Remove`. */
  submit: string
  danger?: boolean
  size?: string
  /** Make the plan when the dialog opens: for changes without a form. */
  reviewFirst?: boolean
  /** Stands above the form, and above the plan. */
  summary?: ReactNode
  /** Errors by parameter, for the form's fields; empty before each attempt. */
  onErrors?: (errors: Record<string, string>) => void
  /** Parameters whose errors the form shows; the dialog lists those of all others. */
  shown?: readonly string[]
  onDone?: (result: Result<O>) => void
  children?: ReactNode
}

export function ChangeDialog<O extends Operation>(props: ChangeDialogProps<O>) {
  const review = useReview({
    ...props,
    onDone: (result) => {
      props.onDone?.(result)
      props.onClose()
    },
  })
  const { reset } = review
  useEffect(() => {
    if (!props.opened) reset()
  }, [props.opened, reset])
  return (
    <DialogFrame opened={props.opened} onClose={props.onClose} title={props.title} size={props.size}>
      <Inside {...props} made={review} />
    </DialogFrame>
  )
}

function Inside<O extends Operation>(props: ChangeDialogProps<O> & { made: Review<O> }) {
  const { made: review } = props
  const schema = useOperation(props.operation)
  const form = useRef<HTMLFormElement>(null)
  const plan = usePlanFocus(review.planned)
  useTop(form, review.problem)
  const firstField = useFirstField()
  const stale = review.problem?.kind === 'stale'
  const node = (review.of?.params as { node?: string } | undefined)?.node
  const again = () => void review.review()
  useReviewFirst(props.reviewFirst === true, again)

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    form.current?.requestSubmit()
  }

  return (
    <form
      ref={form}
      className={classes.form}
      aria-busy={review.busy !== null}
      onKeyDown={onKeyDown}
      onSubmit={(event) => {
        event.preventDefault()
        event.stopPropagation() // a dialog opened from a form is inside it for React
        if (stale) again()
        else void review.apply()
      }}
    >
      <div className={classes.scroll}>
        {review.problem && review.problem.kind !== 'unplannable' && (
          <ProblemAlert
            problem={review.problem}
            shown={props.shown}
            busy={review.busy !== null}
            onReview={again}
            onRetry={() => void review.apply()}
          />
        )}
        {props.summary}
        {props.children && (
          <div ref={firstField} hidden={review.planned !== null}>
            {props.children}
          </div>
        )}
        {review.planned && (
          <div ref={plan} tabIndex={-1} className={classes.focus}>
            <PlanView planned={review.planned} node={node} task={schema?.task} />
          </div>
        )}
        {props.reviewFirst && !review.planned && review.busy === 'planning' && <Skeleton h={120} />}
        <NoPlan reason={schema?.never} problem={review.problem} />
      </div>
      <Actions {...props} stale={stale} schema={schema} />
    </form>
  )
}

function NoPlan({ reason, problem }: { reason?: string; problem: Review<Operation>['problem'] }) {
  const why = reason ?? (problem?.kind === 'unplannable' ? problem.reason : undefined)
  return why === undefined ? null : <Unplannable reason={why} />
}

function Actions<O extends Operation>(
  props: ChangeDialogProps<O> & { made: Review<O>; stale: boolean; schema: ReturnType<typeof useOperation> },
) {
  const { t } = useTranslation(['plan', 'common'])
  const { made: review, stale, schema } = props
  const plannable = !schema?.never && review.problem?.kind !== 'unplannable'
  const params = () => (review.of?.params ?? props.params()) as Record<string, unknown>
  return (
    <div className={classes.actions}>
      <CopyMenu operation={props.operation} params={params} token={review.planned?.token} schema={schema} />
      <span className={classes.space} />
      {review.planned && props.children ? (
        <Button variant="default" onClick={review.edit} disabled={review.busy !== null}>
          {t('common:edit')}
        </Button>
      ) : (
        <Button variant="default" onClick={props.onClose} data-autofocus={props.children ? undefined : true}>
          {t('common:cancel')}
        </Button>
      )}
      {!review.planned && plannable && (
        <Button
          variant="light"
          className={classes.review}
          onClick={() => void review.review()}
          loading={review.busy === 'planning'}
          disabled={review.busy === 'applying'}
        >
          {t('common:review')}
        </Button>
      )}
      {!stale && (
        <Button
          type="submit"
          color={props.danger ? 'red' : undefined}
          loading={review.busy === 'applying'}
          disabled={review.busy === 'planning'}
          title={t('ctrlEnter')}
        >
          {props.submit}
        </Button>
      )}
    </div>
  )
}

function useReviewFirst(wanted: boolean, review: () => void): void {
  const begun = useRef(false)
  useEffect(() => {
    if (!wanted || begun.current) return
    begun.current = true
    review()
  }, [wanted, review])
}

/** A plan that has just been made gets the focus: it is what is to be read next. */
function usePlanFocus(planned: unknown) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!planned || !place.current) return
    place.current.focus({ preventScroll: true })
    toTop(place.current)
  }, [planned])
  return place
}

const toTop = (place: HTMLElement): void => place.closest('[role=dialog]')?.scrollTo({ top: 0 })

/** What went wrong stands at the top: make sure that it is seen. */
function useTop(place: RefObject<HTMLElement | null>, problem: unknown): void {
  useEffect(() => {
    if (problem && place.current) toTop(place.current)
  }, [place, problem])
}

const FIELD = 'input:not([type=hidden]):not([disabled]), textarea:not([disabled]), select:not([disabled])'

/** The form's first field gets the focus when the dialog opens, unless the form has said which. */
function useFirstField() {
  return useCallback((place: HTMLDivElement | null) => {
    if (!place || place.querySelector('[data-autofocus]')) return
    const field = [...place.querySelectorAll<HTMLElement>(FIELD)].find((each) => each.offsetParent !== null)
    field?.setAttribute('data-autofocus', 'true')
  }, [])
}
