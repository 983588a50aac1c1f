/** Pages and their tabs that the search finds. Whoever adds a page adds a line here. */
import i18next from 'i18next'

export interface Place {
  /** What is on it, as people would call it; asked again when the language changes. */
  label: () => string
  /** What stands behind it, dimmed: the area it belongs to. */
  area?: () => string
  /** More words to find it by. */
  words?: string
  to: string
  /** Only for users who have this privilege somewhere (area and privilege as in a session's `cap`). */
  may?: readonly [area: string, privilege: string]
}

const shell = (
  key: 'overview' | 'guests' | 'nodes' | 'storage' | 'pools' | 'tasks' | 'history' | 'access' | 'datacenter',
) => i18next.t(`shell:${key}`)
const access = (
  tab: 'users' | 'groups' | 'roles' | 'permissions' | 'tokens' | 'effective' | 'realms' | 'factors',
  words = '',
): Place => ({
  label: () => i18next.t(`access:tab.${tab}`),
  area: () => shell('access'),
  words,
  to: `/access/${tab}`,
})
const datacenter = (tab: 'status' | 'options' | 'storage' | 'log' | 'api', words = ''): Place => ({
  label: () => i18next.t(`datacenter:tab.${tab}`),
  area: () => shell('datacenter'),
  words,
  to: `/datacenter/${tab}`,
})

export const places: readonly Place[] = [
  { label: () => shell('overview'), words: 'home dashboard start', to: '/' },
  { label: () => shell('guests'), words: 'vm virtual machines qemu list', to: '/guests' },
  { label: () => shell('nodes'), words: 'hosts servers', to: '/nodes' },
  { label: () => shell('storage'), words: 'disks images iso backup', to: '/storage' },
  { label: () => shell('pools'), words: 'folders groups', to: '/pools' },
  { label: () => shell('tasks'), words: 'jobs log', to: '/tasks' },
  { label: () => shell('history'), words: 'audit changes diff revert who', to: '/history' },
  { label: () => shell('access'), words: 'permissions security', to: '/access' },
  access('users', 'accounts people'),
  access('groups'),
  access('roles', 'privileges'),
  access('permissions', 'acl rights'),
  access('tokens', 'api key'),
  access('effective', 'permissions check'),
  access('realms', 'authentication ldap pam domain'),
  access('factors', 'tfa 2fa totp second factor'),
  datacenter('status', 'cluster quorum'),
  datacenter('options', 'settings keyboard mac prefix migration bandwidth'),
  datacenter('storage', 'add nfs cifs directory'),
  datacenter('log', 'cluster log'),
  datacenter('api', 'rest'),
  { label: () => i18next.t('shell:explorer'), words: 'api openapi rest calls swagger', to: '/api-explorer' },
]
