import {
  IconActivity,
  IconBuilding,
  IconDatabase,
  IconDeviceDesktop,
  IconFolders,
  IconHistory,
  IconHome,
  IconServer,
  IconUsers,
} from '@tabler/icons-react'

/** The areas of the interface, in order; `key` is what comes after `g`. Names are texts of `shell`. */
export const AREAS = [
  { name: 'overview', to: '/', icon: IconHome, key: 'o' },
  { name: 'guests', to: '/guests', icon: IconDeviceDesktop, key: 'g' },
  { name: 'nodes', to: '/nodes', icon: IconServer, key: 'n' },
  { name: 'storage', to: '/storage', icon: IconDatabase, key: 's' },
  { name: 'pools', to: '/pools', icon: IconFolders, key: 'p' },
  { name: 'tasks', to: '/tasks', icon: IconActivity, key: 't' },
  { name: 'history', to: '/history', icon: IconHistory, key: 'h' },
  { name: 'access', to: '/access', icon: IconUsers, key: 'a' },
  { name: 'datacenter', to: '/datacenter', icon: IconBuilding, key: 'd' },
] as const

/** Whether an address belongs to an area. */
export const within = (path: string, to: string): boolean =>
  to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`)
