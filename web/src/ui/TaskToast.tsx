/** What a toast says of its tasks while they run, and the way to their logs. */
import { Anchor, Progress, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { outcome, useTask, useTasks } from '@/live/tasks'
import { showTask, showTasks } from '@/shell/surfaces'

export function TaskToast({ upid }: { upid: string }) {
  const { t } = useTranslation('tasks')
  const task = useTask(upid)
  const ended = outcome(task?.status)
  const waiting = task?.waiting ? t('waitsFor', { reason: task.waiting }) : task?.text || t('toast.runs')
  const text = { running: waiting, ok: t('toast.ok'), warning: t('toast.warning'), error: task?.status ?? '' }[ended]
  return (
    <Stack gap={4} align="flex-start">
      <Text size="sm" c="var(--mantine-color-text)" style={{ overflowWrap: 'anywhere' }} lineClamp={4}>
        {text}
      </Text>
      {ended === 'running' && task?.progress ? (
        <Progress value={task.progress * 100} size={4} w="100%" aria-label={t('facts.status')} />
      ) : null}
      <Anchor component="button" type="button" size="sm" onClick={() => showTask(upid)}>
        {t('toast.show')}
      </Anchor>
    </Stack>
  )
}

export function TasksToast({ upids }: { upids: readonly string[] }) {
  const { t } = useTranslation('tasks')
  const all = useTasks()
  const ends = upids.map((upid) => outcome(all.get(upid)?.status))
  const done = ends.filter((end) => end !== 'running').length
  const failed = ends.filter((end) => end === 'error').length
  return (
    <Stack gap={4} align="flex-start">
      <Text size="sm" c="var(--mantine-color-text)">
        {t('toast.summary', { done, total: upids.length })}
        {failed > 0 && (
          <Text span size="sm" c="var(--corral-bad)">
            {' · '}
            {t('toast.failed', { failed })}
          </Text>
        )}
      </Text>
      <Progress value={(done / upids.length) * 100} size={4} w="100%" aria-label={t('facts.status')} />
      <Anchor component="button" type="button" size="sm" onClick={showTasks}>
        {t('toast.showAll')}
      </Anchor>
    </Stack>
  )
}
