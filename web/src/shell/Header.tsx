import { ActionIcon, Group, Kbd, Loader, Tooltip, UnstyledButton } from '@mantine/core'
import { IconActivity, IconHelp, IconLayoutSidebar, IconSearch } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useRunning } from '@/live/tasks'
import classes from '@/shell/Header.module.css'
import { Logo } from '@/shell/Logo'
import { show, toggle, useOpen } from '@/shell/surfaces'
import { UserMenu } from '@/shell/UserMenu'

interface Props {
  username: string
  navShown: boolean
  onNav: () => void
}

export function Header({ username, navShown, onNav }: Props) {
  const { t } = useTranslation('shell')
  const label = t(navShown ? 'hideNav' : 'showNav')
  return (
    <Group h="100%" px="sm" gap="sm" wrap="nowrap" justify="space-between">
      <Group gap={6} wrap="nowrap" className={classes.side}>
        <Tooltip label={label}>
          <ActionIcon
            variant="subtle"
            color="gray"
            visibleFrom="sm"
            aria-label={label}
            aria-expanded={navShown}
            onClick={onNav}
          >
            <IconLayoutSidebar size={20} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
        <Link to="/" className={classes.home} aria-label="Corral">
          <Logo />
        </Link>
      </Group>
      <SearchField />
      <Group gap={4} wrap="nowrap" className={classes.side} justify="flex-end">
        <TasksButton />
        <Tooltip label={t('help')}>
          <ActionIcon
            variant="subtle"
            color="gray"
            visibleFrom="sm"
            size="lg"
            aria-label={t('help')}
            onClick={() => show('shortcuts')}
          >
            <IconHelp size={20} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
        <UserMenu username={username} />
      </Group>
    </Group>
  )
}

/** Looks like a field; typing happens in the dialog that it opens. */
function SearchField() {
  const { t } = useTranslation('shell')
  return (
    <UnstyledButton
      className={classes.search}
      visibleFrom="sm"
      aria-haspopup="dialog"
      aria-keyshortcuts="/ Control+K"
      onClick={() => show('search')}
    >
      <IconSearch size={16} aria-hidden />
      <span>{t('searchHint')}</span>
      <Kbd size="xs" ml="auto" aria-hidden>
        /
      </Kbd>
    </UnstyledButton>
  )
}

function TasksButton() {
  const { t } = useTranslation('shell')
  const running = useRunning()
  const open = useOpen('tasks')
  const label = running > 0 ? t('running', { count: running }) : t('noneRunning')
  return (
    <Tooltip label={label}>
      <UnstyledButton
        className={classes.tasks}
        visibleFrom="sm"
        aria-label={label}
        aria-expanded={open}
        onClick={() => toggle('tasks')}
      >
        {running > 0 ? <Loader size={16} aria-hidden /> : <IconActivity size={20} stroke={1.6} aria-hidden />}
        {running > 0 && <span className="numeric">{running}</span>}
      </UnstyledButton>
    </Tooltip>
  )
}
