/** The URL tree. Each page is a chunk of its own, loaded when it is first looked at. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { Failed } from '@/shell/Failed'
import { Lost, Shell } from '@/shell/Shell'

const root = createRootRoute({ component: Shell, notFoundComponent: Lost, errorComponent: Failed })

/** Filters of lists live in the URL; each page reads those that it knows. */
const anySearch = (search: Record<string, unknown>): Record<string, unknown> => search

const page = <P extends string>(path: P, load: () => Promise<Record<string, unknown>>) =>
  createRoute({
    getParentRoute: () => root,
    path,
    validateSearch: anySearch,
    component: lazyRouteComponent(load as () => Promise<{ default: () => React.ReactNode }>),
  })

const routes = [
  page('/', () => import('@/pages/Overview')),
  page('/guests', () => import('@/pages/guests/GuestList')),
  page('/guests/$vmid', () => import('@/pages/guests/GuestPage')),
  page('/guests/$vmid/$tab', () => import('@/pages/guests/GuestPage')),
  page('/nodes', () => import('@/pages/nodes/NodeList')),
  page('/nodes/$node', () => import('@/pages/nodes/NodePage')),
  page('/nodes/$node/$tab', () => import('@/pages/nodes/NodePage')),
  page('/storage', () => import('@/pages/storage/StorageList')),
  page('/storage/$node/$storage', () => import('@/pages/storage/StoragePage')),
  page('/storage/$node/$storage/$tab', () => import('@/pages/storage/StoragePage')),
  page('/pools', () => import('@/pages/pools/PoolList')),
  page('/pools/$pool', () => import('@/pages/pools/PoolPage')),
  page('/tasks', () => import('@/pages/tasks/TaskList')),
  page('/tasks/$upid', () => import('@/pages/tasks/TaskPage')),
  page('/history', () => import('@/pages/history/HistoryPage')),
  page('/access', () => import('@/pages/access/AccessPage')),
  page('/access/$tab', () => import('@/pages/access/AccessPage')),
  page('/datacenter', () => import('@/pages/datacenter/DatacenterPage')),
  page('/datacenter/$tab', () => import('@/pages/datacenter/DatacenterPage')),
  page('/approve', () => import('@/plan/ApprovePage')),
  page('/api-explorer', () => import('@/pages/ApiExplorer')),
]

export const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultPreload: 'intent',
  defaultErrorComponent: Failed,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
