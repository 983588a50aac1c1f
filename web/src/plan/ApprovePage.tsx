/**
 * `/approve#…`: somebody asks for a change. It is planned anew, with the rights of whoever looks, and applied so. Whoever
 * made the link may mean ill: it must be a call that is known, all that it asks for is shown, and it brings no secret,
 * which could not be shown.
 */
import { Alert, Button, EmptyState, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconCheck, IconInfoCircle, IconLinkOff, IconX } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Operation, Params } from '@/api/client'
import { type OperationSchema, useDescribe, useSchemas } from '@/forms/schema'
import { brief } from '@/plan/brief'
import { secretNames, secretsIn } from '@/plan/command'
import { recordName } from '@/plan/files'
import { PlanView } from '@/plan/PlanView'
import { ProblemAlert } from '@/plan/Problems'
import { askedBy, changedBetween, decodeRequest, type Request, shownParams } from '@/plan/share'
import { useReview } from '@/plan/useReview'
import { ago } from '@/ui/format'
import { Page } from '@/ui/Page'
import classes from './ApprovePage.module.css'

export default function ApprovePage() {
  const { t } = useTranslation('plan')
  const hash = useHash()
  const request = useMemo(() => decodeRequest(hash), [hash])
  return (
    <Page title={t('approve.title')} flush>
      {request ? <Checked key={hash} request={request} /> : <Broken />}
    </Page>
  )
}

function Checked({ request }: { request: Request }) {
  const { t } = useTranslation('plan')
  const schemas = useSchemas()
  if (!schemas) return <Skeleton h={180} m="md" aria-label={t('approve.planning')} />
  const schema = schemas.get(request.operation)
  if (!schema) return <Broken />
  const secrets = secretsIn(request.params, secretNames(schema))
  if (secrets.length > 0) return <Broken text={t('approve.secrets', { names: secrets.join(', ') })} />
  return <Asked request={request} schema={schema} />
}

function useHash(): string {
  const [hash, setHash] = useState(window.location.hash)
  useEffect(() => {
    const changed = () => setHash(window.location.hash)
    window.addEventListener('hashchange', changed)
    return () => window.removeEventListener('hashchange', changed)
  }, [])
  return hash
}

function Broken({ text }: { text?: string }) {
  const { t } = useTranslation('plan')
  return (
    <EmptyState
      m="xl"
      icon={<IconLinkOff aria-hidden />}
      title={text ? t('approve.refused') : t('approve.broken')}
      description={text ?? t('approve.brokenText')}
    />
  )
}

type Outcome = 'open' | 'approved' | 'rejected'

function Asked({ request, schema }: { request: Request; schema: OperationSchema }) {
  const { t } = useTranslation('plan')
  const describe = useDescribe()
  const title = brief(describe(schema.text.split('\n')[0]))
  const [outcome, setOutcome] = useState<Outcome>('open')
  const review = useReview<Operation>({
    title: title || request.operation,
    operation: request.operation,
    params: () => request.params as Params<Operation>,
    onDone: () => setOutcome('approved'),
  })
  usePlannedOnce(review.review)
  if (outcome !== 'open') return <Over outcome={outcome} />
  const node = typeof request.params.node === 'string' ? request.params.node : undefined
  return (
    <div className={classes.page}>
      <div className={classes.scroll}>
        <Stack gap="md" maw={760}>
          <Title order={2}>{title}</Title>
          <Text size="xs" className="mono" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {pathOf(request)}
          </Text>
          <Parameters request={request} />
          <Asker request={request} token={review.planned?.token} />
          {review.problem?.kind === 'unplannable' ? (
            <Text>{t('approve.unplannable')}</Text>
          ) : (
            review.problem && (
              <ProblemAlert
                problem={review.problem}
                busy={review.busy !== null}
                onReview={() => void review.review()}
                onRetry={() => void (review.planned ? review.apply() : review.review())}
              />
            )
          )}
          {review.planned && <PlanView planned={review.planned} node={node} task={schema.task} />}
          {!review.planned && review.busy && <Skeleton h={180} aria-label={t('approve.planning')} />}
        </Stack>
      </div>
      <div className={classes.actions}>
        <Button
          size="lg"
          variant="default"
          leftSection={<IconX aria-hidden size={20} />}
          onClick={() => setOutcome('rejected')}
          disabled={review.busy === 'applying'}
        >
          {t('approve.reject')}
        </Button>
        <Button
          size="lg"
          leftSection={<IconCheck aria-hidden size={20} />}
          onClick={() => void review.apply()}
          loading={review.busy === 'applying'}
          disabled={!review.planned || review.problem?.kind === 'stale'}
        >
          {t('approve.approve')}
        </Button>
      </div>
    </div>
  )
}

/** Plan when the page opens; once, also where effects run twice. */
function usePlannedOnce(review: () => Promise<boolean>): void {
  const done = useRef(false)
  useEffect(() => {
    if (done.current) return
    done.current = true
    void review()
  }, [review])
}

const pathOf = ({ operation, params }: Request): string =>
  operation.replace(/\{([^}]+)\}/g, (_, name: string) => String(params[name]))

/** In full: what a plan doesn't tell, such as whose password is set, counts as much. */
function Parameters({ request }: { request: Request }) {
  const { t } = useTranslation('plan')
  const params = shownParams(request)
  if (params.length === 0) return null
  return (
    <div>
      <Text size="xs" c="dimmed">
        {t('approve.params')}
      </Text>
      <dl className={classes.params}>
        {params.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </div>
  )
}

function Asker({ request, token }: { request: Request; token: string | undefined }) {
  const { t } = useTranslation('plan')
  const { asked } = request
  const own = token === undefined ? null : askedBy(token)
  const moved = own ? changedBetween(asked, own) : []
  return (
    <Stack gap="xs">
      <div>
        <Text>{t('approve.asks', { user: asked.user, when: ago(asked.time) })}</Text>
        <Text size="sm" c="dimmed">
          {t('approve.unsure')}
        </Text>
      </div>
      {moved.length > 0 && (
        <Alert color="yellow" variant="outline" icon={<IconInfoCircle aria-hidden />}>
          {t('approve.moved', { names: moved.map((key) => recordName(key)).join(', ') })}
        </Alert>
      )}
    </Stack>
  )
}

function Over({ outcome }: { outcome: 'approved' | 'rejected' }) {
  const { t } = useTranslation('plan')
  const navigate = useNavigate()
  const approved = outcome === 'approved'
  return (
    <EmptyState
      m="xl"
      role="status"
      icon={approved ? <IconCheck aria-hidden /> : <IconX aria-hidden />}
      title={approved ? t('approve.done') : t('approve.rejected')}
      description={approved ? t('approve.doneText') : undefined}
    >
      <Button variant="default" onClick={() => void navigate({ to: '/' })}>
        {t('approve.home')}
      </Button>
    </EmptyState>
  )
}
