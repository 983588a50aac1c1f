import { Button, Popover, Stack, Text } from '@mantine/core'
import { IconPlayerStop } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useAllowed } from '@/api/permissions'
import { useSession } from '@/api/session'
import type { TaskInfo } from '@/live/types'
import { act } from '@/ui/act'

/** Ask a running task to stop, after having been asked back. */
export function CancelTask({ task }: { task: TaskInfo }) {
  const { t } = useTranslation('tasks')
  const [open, setOpen] = useState(false)
  const session = useSession()
  const own = session.kind === 'open' && task.user.split('!')[0] === session.session.username
  const may = useAllowed(`/nodes/${task.node}`, 'Sys.Modify')
  if (task.status !== undefined || !(own || may)) return null

  function stop(): void {
    setOpen(false)
    void act(t('cancel.button'), 'DELETE /nodes/{node}/tasks/{upid}', { node: task.node, upid: task.upid })
  }

  return (
    <Popover opened={open} onChange={setOpen} trapFocus returnFocus withArrow shadow="md" width={280}>
      <Popover.Target>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconPlayerStop size={14} aria-hidden />}
          onClick={() => setOpen(!open)}
        >
          {t('cancel.button')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('cancel.title')}>
        <Stack gap="sm">
          <Text size="sm" fw={600}>
            {t('cancel.title')}
          </Text>
          <Text size="sm">{t('cancel.text')}</Text>
          <Button size="xs" color="red" onClick={stop}>
            {t('cancel.button')}
          </Button>
          <Button size="xs" variant="default" onClick={() => setOpen(false)}>
            {t('cancel.keep')}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
