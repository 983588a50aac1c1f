import { useNavigate, useParams } from '@tanstack/react-router'
import { lazy } from 'react'
import { useTranslation } from 'react-i18next'
import { Page } from '@/ui/Page'
import { RouteTabs } from '@/ui/RouteTabs'

const Status = lazy(() => import('@/pages/datacenter/StatusTab'))
const Options = lazy(() => import('@/pages/datacenter/OptionsTab'))
const Storage = lazy(() => import('@/pages/datacenter/StorageTab'))
const Log = lazy(() => import('@/pages/datacenter/LogTab'))
const Api = lazy(() => import('@/pages/datacenter/ApiTab'))

/** What concerns all nodes together. */
export default function DatacenterPage() {
  const { t } = useTranslation('datacenter')
  const { tab } = useParams({ strict: false })
  const navigate = useNavigate()
  return (
    <Page title={t('title')} flush>
      <RouteTabs
        label={t('tabs')}
        current={tab}
        onChange={(next) => void navigate({ to: '/datacenter/$tab', params: { tab: next }, search: {} })}
        tabs={[
          { id: 'status', label: t('tab.status'), panel: () => <Status /> },
          { id: 'options', label: t('tab.options'), panel: () => <Options />, flush: true },
          { id: 'storage', label: t('tab.storage'), panel: () => <Storage />, flush: true },
          { id: 'log', label: t('tab.log'), panel: () => <Log />, flush: true },
          { id: 'api', label: t('tab.api'), panel: () => <Api /> },
        ]}
      />
    </Page>
  )
}
