/** The frame of a change to many things at once: what it is for, Cancel, Review and the deed. */
import { Alert, Badge, Button, Group, List, ScrollArea, Stack, Text } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Operation, type Params, type Planned, plan } from '@/api/client'
import classes from '@/plan/ChangeDialog.module.css'
import { DialogFrame } from '@/plan/DialogFrame'
import { explain } from '@/ui/act'
import { AT_ONCE, eachOf, type Job } from './jobs'
import { runBulk } from './runBulk'

interface BulkDialogProps {
  opened: boolean
  onClose: () => void
  title: string
  /** What the calls are for, as the form has it now. */
  jobs: () => readonly Job[]
  submit: string
  danger?: boolean
  /** Nothing can be done yet: why. */
  incomplete?: string
  children?: ReactNode
}

type Reviewed = { job: Job; planned?: Planned; problem?: string }

const SHOWN = 200

export function BulkDialog({ opened, onClose, title, jobs, submit, danger, incomplete, children }: BulkDialogProps) {
  const { t } = useTranslation(['lists', 'common'])
  const [reviewed, setReviewed] = useState<readonly Reviewed[] | null>(null)
  const [busy, setBusy] = useState(false)
  async function review(): Promise<void> {
    setBusy(true)
    setReviewed(await eachOf(jobs(), AT_ONCE, reviewOf))
    setBusy(false)
  }
  function apply(): void {
    const tokens = new Map(reviewed?.flatMap(({ job, planned }) => (planned ? [[job.key, planned.token]] : [])) ?? [])
    void runBulk(title, jobs(), tokens)
    onClose()
  }
  return (
    <DialogFrame opened={opened} onClose={onClose} title={title} size="md">
      <form
        className={classes.form}
        aria-busy={busy}
        onSubmit={(event) => {
          event.preventDefault()
          if (!incomplete) apply()
        }}
      >
        <div className={classes.scroll}>
          <Stack hidden={reviewed !== null}>
            {children}
            <Affected labels={jobs().map(({ label }) => label)} />
          </Stack>
          {reviewed && <Review reviewed={reviewed} />}
        </div>
        <div className={classes.actions}>
          <span className={classes.space} />
          <Button variant="default" onClick={reviewed ? () => setReviewed(null) : onClose}>
            {reviewed ? t('common:edit') : t('common:cancel')}
          </Button>
          {!reviewed && (
            <Button
              variant="light"
              className={classes.review}
              onClick={() => void review()}
              loading={busy}
              disabled={incomplete !== undefined}
            >
              {t('common:review')}
            </Button>
          )}
          <Button
            type="submit"
            color={danger ? 'red' : undefined}
            disabled={incomplete !== undefined || busy}
            title={incomplete}
          >
            {submit}
          </Button>
        </div>
      </form>
    </DialogFrame>
  )
}

async function reviewOf(job: Job): Promise<Reviewed> {
  try {
    return { job, planned: await plan(job.operation, job.params as Params<Operation>) }
  } catch (error) {
    return { job, problem: explain(error) }
  }
}

function Affected({ labels }: { labels: readonly string[] }) {
  const { t } = useTranslation('lists')
  if (labels.length === 0) return <Alert color="gray">{t('nothingToDo')}</Alert>
  return (
    <div>
      <Text size="sm" fw={600}>
        {t('affected', { count: labels.length })}
      </Text>
      <ScrollArea.Autosize mah={180} type="auto">
        <List size="sm" listStyleType="none">
          {labels.slice(0, SHOWN).map((label) => (
            <List.Item key={label}>{label}</List.Item>
          ))}
          {labels.length > SHOWN && <List.Item>… {labels.length - SHOWN}</List.Item>}
        </List>
      </ScrollArea.Autosize>
    </div>
  )
}

function Review({ reviewed }: { reviewed: readonly Reviewed[] }) {
  return (
    <ScrollArea.Autosize mah="50dvh" type="auto">
      <Stack gap="xs">
        {reviewed.slice(0, SHOWN).map((each) => (
          <ReviewOfOne key={each.job.key} {...each} />
        ))}
      </Stack>
    </ScrollArea.Autosize>
  )
}

function ReviewOfOne({ job, planned, problem }: Reviewed) {
  const { t } = useTranslation('lists')
  const lines = planned
    ? [...planned.plan.effects, ...planned.plan.writes.map(({ key, action }) => `${action} ${key}`)]
    : []
  return (
    <div>
      <Group gap="xs">
        <Text size="sm" fw={600}>
          {job.label}
        </Text>
        {problem !== undefined && (
          <Badge color="red" variant="light">
            {t('wouldFail')}
          </Badge>
        )}
      </Group>
      {problem !== undefined && (
        <Text size="sm" c="var(--corral-bad)">
          {problem}
        </Text>
      )}
      <List size="sm">
        {lines.map((line) => (
          <List.Item key={line}>{line}</List.Item>
        ))}
        {planned?.plan.warnings.map((line) => (
          <List.Item key={line}>
            <Text span size="sm" c="var(--corral-warn)">
              {line}
            </Text>
          </List.Item>
        ))}
      </List>
    </div>
  )
}
