import { Alert, Button, Group, Stack, Text } from '@mantine/core'
import { IconAlertCircle, IconPlugConnectedX, IconRefresh } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Problem } from '@/plan/problem'
import classes from './PlanView.module.css'

export interface ProblemProps {
  problem: Problem
  /** Parameters whose errors the form shows at their fields. */
  shown?: readonly string[]
  /** Plan again. */
  onReview?: () => void
  /** Try the same once more. */
  onRetry?: () => void
  busy?: boolean
}

/** Why a review or a change did not come about, and what can be done. */
export function ProblemAlert({ problem, shown = [], onReview, onRetry, busy = false }: ProblemProps) {
  const { t } = useTranslation(['plan', 'common'])
  switch (problem.kind) {
    case 'unplannable':
      return <Unplannable reason={problem.reason} />
    case 'stale':
      return (
        <Alert
          color="yellow"
          icon={<IconRefresh aria-hidden />}
          title={t('stale.title')}
          variant="outline"
          classNames={{ title: classes.notice, icon: classes.notice }}
        >
          <Stack gap="xs" align="flex-start">
            <Text size="sm">{problem.message}</Text>
            {onReview && (
              <Button size="xs" onClick={onReview} loading={busy}>
                {t('stale.again')}
              </Button>
            )}
          </Stack>
        </Alert>
      )
    case 'unreachable':
      return (
        <Alert
          color="red"
          icon={<IconPlugConnectedX aria-hidden />}
          title={t('unreachable.title')}
          variant="outline"
          classNames={{ title: classes.failure, icon: classes.failure }}
        >
          <Stack gap="xs" align="flex-start">
            <Text size="sm">{t('unreachable.text')}</Text>
            {onRetry && (
              <Button size="xs" variant="default" onClick={onRetry} loading={busy}>
                {t('common:retry')}
              </Button>
            )}
          </Stack>
        </Alert>
      )
    case 'incomplete':
      return <Failed message={problem.message} errors={[]} />
    case 'refused': {
      const rest = Object.entries(problem.errors).filter(([name]) => !shown.includes(name))
      const all = Object.keys(problem.errors).length
      return <Failed message={all > 0 && rest.length === 0 ? t('seeFields') : problem.message} errors={rest} />
    }
  }
}

function Failed({ message, errors }: { message: string; errors: [string, string][] }) {
  const { t } = useTranslation()
  return (
    <Alert
      color="red"
      icon={<IconAlertCircle aria-hidden />}
      title={t('failed')}
      variant="outline"
      classNames={{ title: classes.failure, icon: classes.failure }}
    >
      <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {message}
      </Text>
      {errors.map(([name, text]) => (
        <Group key={name} gap={6} wrap="nowrap" align="baseline">
          <Text size="sm" className="mono">
            {name}
          </Text>
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {text}
          </Text>
        </Group>
      ))}
    </Alert>
  )
}

export function Unplannable({ reason }: { reason: string }) {
  const { t } = useTranslation('plan')
  return (
    <Text size="sm" c="dimmed">
      {t('unplannable', { reason })}
    </Text>
  )
}
