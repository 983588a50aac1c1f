/** Running and recent tasks with their logs: docked below the page, on a phone a sheet. Nothing waits for it. */
import { ActionIcon, Anchor, CloseButton, Drawer, Group, Text, Title, Tooltip } from '@mantine/core'
import { IconArrowLeft, IconArrowUpRight, IconExternalLink } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useEffect, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { parseUpid, useTask, useTasks } from '@/live/tasks'
import type { TaskInfo } from '@/live/types'
import { CancelTask } from '@/pages/tasks/CancelTask'
import { TaskDuration, TaskProgress, TaskState, useTaskText } from '@/pages/tasks/parts'
import { TaskLog } from '@/pages/tasks/TaskLog'
import classes from '@/pages/tasks/Tasks.module.css'
import { objectOf, taskTitle } from '@/pages/tasks/words'
import { targetOf } from '@/shell/refs'
import { hide, showTask, showTasks, useShownTask } from '@/shell/surfaces'
import { ago } from '@/ui/format'

/** Running ones first, then by time, newest first. */
export function inOrder(all: Iterable<TaskInfo>): TaskInfo[] {
  const rank = (task: TaskInfo) => (task.status === undefined ? 1 : 0)
  return [...all].sort((a, b) => rank(b) - rank(a) || (b.endtime ?? b.starttime) - (a.endtime ?? a.starttime))
}

const MOST = 60

export default function TaskDrawer({ phone }: { phone: boolean | undefined }) {
  const { t } = useTranslation('tasks')
  const shown = useShownTask()
  if (phone)
    return (
      <Drawer
        opened
        onClose={hide}
        position="bottom"
        size="85%"
        title={t('drawer')}
        closeButtonProps={{ 'aria-label': t('close') }}
        classNames={{ content: classes.sheet, body: classes.sheetBody }}
      >
        <div className={classes.split} data-single>
          {shown ? <Detail upid={shown} back /> : <List shown={shown} />}
        </div>
      </Drawer>
    )
  return <Dock shown={shown} />
}

function Dock({ shown }: { shown: string | null }) {
  const { t } = useTranslation('tasks')
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('[aria-modal=true]')) hide()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
  return (
    <section className={classes.dock} aria-label={t('drawer')}>
      <div className={classes.bar}>
        <Title order={2} fz="sm">
          {t('drawer')}
        </Title>
        <Anchor component={Link} to="/tasks" size="sm" ml="auto" onClick={hide}>
          {t('all')}
        </Anchor>
        <CloseButton aria-label={t('close')} onClick={hide} />
      </div>
      <div className={classes.split} data-single={shown ? undefined : true}>
        <List shown={shown} />
        {shown && <Detail upid={shown} />}
      </div>
    </section>
  )
}

function List({ shown }: { shown: string | null }) {
  const { t } = useTranslation('tasks')
  const all = useTasks()
  const list = useMemo(() => inOrder(all.values()).slice(0, MOST), [all])
  if (list.length === 0)
    return (
      <Text size="sm" c="dimmed" p="md">
        {t('none')}
      </Text>
    )
  return (
    <ul className={classes.list}>
      {list.map((task) => (
        <li key={task.upid}>
          <Row task={task} current={task.upid === shown} />
        </li>
      ))}
    </ul>
  )
}

function Row({ task, current }: { task: TaskInfo; current: boolean }) {
  const text = useTaskText(task)
  return (
    <button
      type="button"
      className={classes.item}
      aria-current={current ? 'true' : undefined}
      onClick={() => (current ? showTasks() : showTask(task.upid))}
    >
      <span className={classes.line1}>
        <TaskState task={task} compact />
        <span className={classes.name}>{taskTitle(task)}</span>
        <span className={classes.when}>{task.endtime ? ago(task.endtime) : <TaskDuration task={task} />}</span>
      </span>
      <span className={classes.line2} data-bad={(task.status && !/^(OK|WARN)/.test(task.status)) || undefined}>
        {[task.user, text].filter(Boolean).join(' · ')}
      </span>
      <TaskProgress task={task} />
    </button>
  )
}

function Detail({ upid, back = false }: { upid: string; back?: boolean }) {
  const { t } = useTranslation('tasks')
  const task = useTask(upid) ?? { ...parseUpid(upid), status: '' }
  const object = objectOf(task)
  return (
    <div className={classes.detail}>
      <div className={classes.bar}>
        {back && (
          <ActionIcon variant="subtle" color="gray" aria-label={t('back')} onClick={showTasks}>
            <IconArrowLeft size={18} />
          </ActionIcon>
        )}
        <Text size="sm" fw={600} truncate>
          {taskTitle(task)}
        </Text>
        <Group gap={4} ml="auto" wrap="nowrap">
          <CancelTask task={task} />
          <Tooltip label={t('openObject', { name: object.name })}>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('openObject', { name: object.name })}
              renderRoot={(props) => <Link {...props} {...targetOf(object.ref)} onClick={back ? hide : undefined} />}
            >
              <IconArrowUpRight size={18} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={t('openPage')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('openPage')}
              renderRoot={(props) => <Link {...props} to="/tasks/$upid" params={{ upid }} onClick={hide} />}
            >
              <IconExternalLink size={18} />
            </ActionIcon>
          </Tooltip>
        </Group>
      </div>
      <TaskLog key={upid} upid={upid} label={taskTitle(task)} />
    </div>
  )
}
