import { Center, Loader, Tabs } from '@mantine/core'
import { type ReactNode, Suspense, useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import classes from './RouteTabs.module.css'

export interface RouteTab {
  id: string
  label: string
  /** Drawn only while it is the current one. */
  panel: () => ReactNode
  /** The body fills the panel to its edges and scrolls itself (lists, consoles). */
  flush?: boolean
}

/** A page's tabs. Which one is open is said by the URL, so that it can be linked to and gone back to. */
export function RouteTabs({
  tabs,
  current,
  onChange,
  label,
}: {
  tabs: readonly RouteTab[]
  current: string | undefined
  onChange: (tab: string) => void
  label: string
}) {
  const { t } = useTranslation()
  const list = useRef<HTMLDivElement>(null)
  const open = tabs.find((tab) => tab.id === current) ?? tabs[0]
  const id = open?.id
  useEffect(() => {
    list.current?.querySelector(`[data-tab="${id}"]`)?.scrollIntoView({ inline: 'center', block: 'nearest' })
  }, [id])
  if (!open) return null
  return (
    <Tabs
      value={open.id}
      onChange={(tab) => tab && onChange(tab)}
      keepMounted={false}
      activateTabWithKeyboard={false}
      className={classes.root}
    >
      <Tabs.List ref={list} className={classes.list} aria-label={label}>
        {tabs.map((tab) => (
          <Tabs.Tab key={tab.id} value={tab.id} data-tab={tab.id} className={classes.tab}>
            {tab.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {/* One panel for each: a tab that controls nothing would be a lie to screen readers. */}
      {tabs.map((tab) => (
        <Tabs.Panel
          key={tab.id}
          value={tab.id}
          className={`${classes.panel} ${tab.flush ? classes.flush : ''}`}
          // A part that scrolls must be reachable by keyboard.
          tabIndex={tab.flush ? undefined : 0}
        >
          <Suspense
            fallback={
              <Center p="xl" role="status" aria-label={t('loading')}>
                <Loader aria-hidden />
              </Center>
            }
          >
            {tab.id === open.id && tab.panel()}
          </Suspense>
        </Tabs.Panel>
      ))}
    </Tabs>
  )
}
