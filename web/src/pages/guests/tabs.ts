/** The guest page's tabs: a literal list. A kind of guest joins by its name in `for`. */
import { type ComponentType, type LazyExoticComponent, lazy } from 'react'
import type { Guest } from '@/live/types'

export interface TabProps {
  guest: Guest
}

export interface GuestTab {
  name: 'summary' | 'console' | 'hardware' | 'cloudinit' | 'options' | 'agent' | 'tasks' | 'history' | 'permissions'
  for: readonly Guest['type'][]
  /** The privilege on the guest without which there is nothing to see. */
  needs?: string
  /** Templates have none. */
  runs?: boolean
  /** The body fills the tab and scrolls itself. */
  flush?: boolean
  body: LazyExoticComponent<ComponentType<TabProps>>
}

const both = ['qemu', 'lxc'] as const

export const CONSOLE: GuestTab = {
  name: 'console',
  for: both,
  needs: 'VM.Console',
  runs: true,
  flush: true,
  body: lazy(() => import('@/pages/guests/console/ConsoleTab')),
}

export const TABS: readonly GuestTab[] = [
  { name: 'summary', for: both, body: lazy(() => import('@/pages/guests/summary/SummaryTab')) },
  CONSOLE,
  { name: 'hardware', for: ['qemu'], body: lazy(() => import('@/pages/guests/hardware/HardwareTab')) },
  { name: 'cloudinit', for: ['qemu'], body: lazy(() => import('@/pages/guests/cloudinit/CloudInitTab')) },
  { name: 'options', for: ['qemu'], body: lazy(() => import('@/pages/guests/options/OptionsTab')) },
  { name: 'agent', for: ['qemu'], runs: true, body: lazy(() => import('@/pages/guests/agent/AgentTab')) },
  { name: 'tasks', for: both, flush: true, body: lazy(() => import('@/pages/guests/tasks/TasksTab')) },
  { name: 'history', for: both, flush: true, body: lazy(() => import('@/pages/guests/history/HistoryTab')) },
  {
    name: 'permissions',
    for: both,
    flush: true,
    body: lazy(() => import('@/pages/guests/permissions/PermissionsTab')),
  },
]

/** The tabs that a guest has for somebody with these privileges. */
export function tabsOf(guest: Guest, may: (privilege: string) => boolean): readonly GuestTab[] {
  return TABS.filter(
    (tab) => tab.for.includes(guest.type) && !(tab.runs && guest.template) && (!tab.needs || may(tab.needs)),
  )
}
