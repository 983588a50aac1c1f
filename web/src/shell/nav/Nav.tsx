import { Link, useLocation } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { AREAS, within } from '@/shell/nav/areas'
import classes from '@/shell/nav/Nav.module.css'
import { TreePanel } from '@/shell/tree/TreePanel'

/** The areas, and below them the tree of all things. */
export function Nav() {
  const { t } = useTranslation('shell')
  const path = useLocation({ select: (location) => location.pathname })
  return (
    <div className={classes.nav}>
      <ul className={classes.areas}>
        {AREAS.map(({ name, to, icon: Icon }) => (
          <li key={name}>
            <Link to={to} className={classes.area} aria-current={within(path, to) ? 'page' : undefined}>
              <Icon size={18} stroke={1.6} aria-hidden />
              <span>{t(name)}</span>
            </Link>
          </li>
        ))}
      </ul>
      <TreePanel />
    </div>
  )
}
