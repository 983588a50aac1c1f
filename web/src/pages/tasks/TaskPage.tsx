import { Anchor, Button, EmptyState, Stack } from '@mantine/core'
import { IconDownload, IconFileOff } from '@tabler/icons-react'
import { Link, useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/api/client'
import { useApi } from '@/api/query'
import { parseUpid, useTask } from '@/live/tasks'
import type { TaskInfo } from '@/live/types'
import { CancelTask } from '@/pages/tasks/CancelTask'
import { TaskDuration, TaskProgress, TaskState, useTaskText } from '@/pages/tasks/parts'
import { TaskLog } from '@/pages/tasks/TaskLog'
import classes from '@/pages/tasks/Tasks.module.css'
import { objectOf, taskTitle } from '@/pages/tasks/words'
import { targetOf } from '@/shell/refs'
import { moment } from '@/ui/format'
import { Page } from '@/ui/Page'

/** One task: what it is, how it stands, its log. */
export default function TaskPage() {
  const { upid = '' } = useParams({ strict: false })
  const { t } = useTranslation('tasks')
  const { task, missing } = useAnyTask(upid)
  if (missing)
    return (
      <Page title={t('missing.title')}>
        <EmptyState icon={<IconFileOff size={32} />} title={t('missing.title')} description={t('missing.text')} />
      </Page>
    )
  const actions = (
    <>
      <CancelTask task={task} />
      <Button
        size="compact-sm"
        variant="default"
        component="a"
        href={`/api2/json/nodes/${encodeURIComponent(task.node)}/tasks/${encodeURIComponent(upid)}/log?download=1`}
        download
        leftSection={<IconDownload size={14} aria-hidden />}
      >
        {t('log.download')}
      </Button>
    </>
  )
  return (
    <Page title={taskTitle(task)} actions={actions}>
      <div className={classes.page}>
        <Facts task={task} />
        <div className={classes.pageLog}>
          <TaskLog key={upid} upid={upid} label={taskTitle(task)} />
        </div>
      </div>
    </Page>
  )
}

/** The task as events tell of it; one that ended long ago as the API does. */
function useAnyTask(upid: string): { task: TaskInfo; missing: boolean } {
  const live = useTask(upid)
  const name = parseUpid(upid)
  const answer = useApi(
    'GET /nodes/{node}/tasks/{upid}/status',
    { node: name.node, upid },
    { enabled: live === undefined && name.node !== '', retry: false },
  )
  if (live) return { task: live, missing: false }
  const said = answer.data
  const missing = name.node === '' || (answer.error instanceof ApiError && answer.error.status !== 401)
  if (!said) return { task: { ...name, status: '' }, missing }
  const { progress, text, waiting } = said
  const status = said.status === 'stopped' ? (said.exitstatus ?? '') : undefined
  return { task: { ...name, progress, text, waiting, status, phase: waiting ? 'waiting' : 'running' }, missing }
}

function Facts({ task }: { task: TaskInfo }) {
  const { t } = useTranslation('tasks')
  const text = useTaskText(task)
  const object = objectOf(task)
  return (
    <dl className={classes.facts}>
      <Fact name={t('facts.status')}>
        <Stack gap={2}>
          {task.status !== '' && <TaskState task={task} />}
          {text}
          <TaskProgress task={task} />
        </Stack>
      </Fact>
      <Fact name={t('facts.object')}>
        <Anchor size="sm" renderRoot={(props) => <Link {...props} {...targetOf(object.ref)} />}>
          {object.name}
        </Anchor>
      </Fact>
      <Fact name={t('facts.user')}>{task.user}</Fact>
      <Fact name={t('facts.node')}>{task.node}</Fact>
      <Fact name={t('facts.started')}>{moment(task.starttime)}</Fact>
      {task.endtime !== undefined && <Fact name={t('facts.ended')}>{moment(task.endtime)}</Fact>}
      {task.status !== '' && (task.endtime !== undefined || task.status === undefined) && (
        <Fact name={t('facts.duration')}>
          <TaskDuration task={task} />
        </Fact>
      )}
      <Fact name={t('facts.type')}>
        <span className="mono">{task.type}</span>
      </Fact>
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
