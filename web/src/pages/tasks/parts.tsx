/** Pieces that the drawer, the page and lists share. */
import { Progress } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TaskInfo } from '@/live/types'
import { DOT, standing, taskTitle } from '@/pages/tasks/words'
import { duration, percent } from '@/ui/format'
import { StatusDot } from '@/ui/StatusDot'

/** Now, in Unix seconds, every second as long as `on`. */
export function useNow(on: boolean): number {
  const [now, setNow] = useState(() => Date.now() / 1000)
  useEffect(() => {
    if (!on) return
    const timer = window.setInterval(() => setNow(Date.now() / 1000), 1000)
    return () => window.clearInterval(timer)
  }, [on])
  return now
}

export function TaskState({ task, compact = false }: { task: TaskInfo; compact?: boolean }) {
  const { t } = useTranslation('tasks')
  const now = standing(task)
  return <StatusDot status={DOT[now]} label={t(`status.${now}`)} compact={compact} />
}

/** How long it has been running, or ran. */
export function TaskDuration({ task }: { task: TaskInfo }) {
  const now = useNow(task.status === undefined)
  return <span className="numeric">{duration(Math.max(0, (task.endtime ?? now) - task.starttime))}</span>
}

/** A bar where it is known how far it is; nothing else. */
export function TaskProgress({ task }: { task: TaskInfo }) {
  const { t } = useTranslation('tasks')
  if (task.status !== undefined || task.progress === undefined || task.progress === null) return null
  const value = Math.round(task.progress * 100)
  return (
    <Progress.Root size={6} mt={4}>
      <Progress.Section
        value={value}
        aria-label={t('progress', { task: taskTitle(task) })}
        aria-valuetext={percent(task.progress)}
      />
    </Progress.Root>
  )
}

/** What it does or waits for, or why it failed. */
export function useTaskText(task: TaskInfo): string {
  const { t } = useTranslation('tasks')
  const now = standing(task)
  if (now === 'error' || now === 'warning') return task.status ?? ''
  if (task.waiting && task.status === undefined) return t('waitsFor', { reason: task.waiting })
  const far = task.status === undefined && task.progress ? percent(task.progress) : ''
  return [task.status === undefined ? task.text : '', far].filter(Boolean).join(' · ')
}
