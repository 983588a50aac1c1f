import { IconActivity, IconDeviceDesktop, IconMenu2, IconSearch } from '@tabler/icons-react'
import { Link, useLocation } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useRunning } from '@/live/tasks'
import { within } from '@/shell/nav/areas'
import classes from '@/shell/nav/TabBar.module.css'
import { toggle, useOpen } from '@/shell/surfaces'

/** The areas that a thumb needs, at the lower edge of a phone. */
export function TabBar() {
  const { t } = useTranslation('shell')
  const path = useLocation({ select: (location) => location.pathname })
  const running = useRunning()
  return (
    <nav aria-label={t('tabs.label')} className={classes.bar}>
      <Link to="/guests" className={classes.tab} aria-current={within(path, '/guests') ? 'page' : undefined}>
        <Face icon={<IconDeviceDesktop size={22} aria-hidden />} text={t('guests')} />
      </Link>
      <Tab surface="search" icon={<IconSearch size={22} aria-hidden />} text={t('tabs.search')} />
      <Tab
        surface="tasks"
        icon={<IconActivity size={22} aria-hidden />}
        text={running > 0 ? `${t('tasks')} · ${running}` : t('tasks')}
      />
      <Tab surface="nav" icon={<IconMenu2 size={22} aria-hidden />} text={t('tabs.more')} />
    </nav>
  )
}

function Tab({ surface, icon, text }: { surface: 'search' | 'tasks' | 'nav'; icon: ReactNode; text: string }) {
  const open = useOpen(surface)
  return (
    <button type="button" className={classes.tab} aria-expanded={open} onClick={() => toggle(surface)}>
      <Face icon={icon} text={text} />
    </button>
  )
}

function Face({ icon, text }: { icon: ReactNode; text: string }) {
  return (
    <>
      {icon}
      <span>{text}</span>
    </>
  )
}
