import { Button, Center, EmptyState, Loader } from '@mantine/core'
import { IconServerOff } from '@tabler/icons-react'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { lazy } from 'react'
import { useTranslation } from 'react-i18next'
import { useAllowed } from '@/api/permissions'
import { useInventory, useNode } from '@/live/inventory'
import { PowerMenu } from '@/pages/nodes/PowerMenu'
import { Page } from '@/ui/Page'
import { type RouteTab, RouteTabs } from '@/ui/RouteTabs'
import { StatusDot } from '@/ui/StatusDot'

const Summary = lazy(() => import('@/pages/nodes/SummaryTab'))
const Guests = lazy(() => import('@/pages/nodes/GuestsTab'))
const Shell = lazy(() => import('@/pages/nodes/ShellTab'))
const Network = lazy(() => import('@/pages/nodes/NetworkTab'))
const Storage = lazy(() => import('@/pages/nodes/StorageTab'))
const Services = lazy(() => import('@/pages/nodes/ServicesTab'))
const Log = lazy(() => import('@/pages/nodes/LogTab'))
const Tasks = lazy(() => import('@/pages/nodes/TasksTab'))
const System = lazy(() => import('@/pages/nodes/SystemTab'))
const Hardware = lazy(() => import('@/pages/nodes/HardwareTab'))

/** One node, from its load to its certificates. */
export default function NodePage() {
  const { t } = useTranslation(['node', 'common'])
  const { node = '' } = useParams({ strict: false })
  const known = useNode(node)
  const { ready } = useInventory()
  if (known) return <Known node={node} status={known.status} />
  if (!ready)
    return (
      <Center p="xl" role="status" aria-label={t('common:loading')}>
        <Loader aria-hidden />
      </Center>
    )
  return (
    <Page title={node}>
      <EmptyState py="xl" icon={<IconServerOff />} title={t('missing.title', { node })} description={t('missing.text')}>
        <EmptyState.Actions>
          <Button component={Link} to="/nodes">
            {t('missing.all')}
          </Button>
        </EmptyState.Actions>
      </EmptyState>
    </Page>
  )
}

function useTabs(node: string): RouteTab[] {
  const { t } = useTranslation('node')
  const console = useAllowed(`/nodes/${node}`, 'Sys.Console')
  const log = useAllowed(`/nodes/${node}`, 'Sys.Syslog')
  const audit = useAllowed(`/nodes/${node}`, 'Sys.Audit')
  const tabs: (RouteTab & { when?: boolean })[] = [
    { id: 'summary', label: t('tab.summary'), panel: () => <Summary node={node} /> },
    { id: 'guests', label: t('tab.guests'), panel: () => <Guests node={node} />, flush: true },
    { id: 'shell', label: t('tab.shell'), panel: () => <Shell node={node} />, flush: true, when: console },
    { id: 'network', label: t('tab.network'), panel: () => <Network node={node} /> },
    { id: 'storage', label: t('tab.storage'), panel: () => <Storage node={node} />, flush: true },
    { id: 'services', label: t('tab.services'), panel: () => <Services node={node} />, flush: true, when: audit },
    { id: 'log', label: t('tab.log'), panel: () => <Log node={node} />, flush: true, when: log },
    { id: 'tasks', label: t('tab.tasks'), panel: () => <Tasks node={node} />, flush: true },
    { id: 'system', label: t('tab.system'), panel: () => <System node={node} />, when: audit },
    { id: 'hardware', label: t('tab.hardware'), panel: () => <Hardware node={node} />, when: audit },
  ]
  return tabs.filter(({ when }) => when !== false)
}

function Known({ node, status }: { node: string; status: string }) {
  const { t } = useTranslation(['node', 'common'])
  const { tab } = useParams({ strict: false })
  const navigate = useNavigate()
  const tabs = useTabs(node)
  const said = status === 'online' ? t('common:online') : status === 'offline' ? t('common:offline') : status
  return (
    <Page
      title={node}
      icon={<StatusDot status={status} label={said} compact />}
      actions={<PowerMenu node={node} />}
      flush
    >
      <RouteTabs
        label={t('tabs')}
        current={tab}
        onChange={(next) => void navigate({ to: '/nodes/$node/$tab', params: { node, tab: next }, search: {} })}
        tabs={tabs}
      />
    </Page>
  )
}
