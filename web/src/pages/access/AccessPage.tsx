import { useNavigate, useParams } from '@tanstack/react-router'
import { lazy } from 'react'
import { useTranslation } from 'react-i18next'
import { Page } from '@/ui/Page'
import { RouteTabs } from '@/ui/RouteTabs'

const Users = lazy(() => import('@/pages/access/UsersTab'))
const Groups = lazy(() => import('@/pages/access/GroupsTab'))
const Roles = lazy(() => import('@/pages/access/RolesTab'))
const Acl = lazy(() => import('@/pages/access/AclTab'))
const Tokens = lazy(() => import('@/pages/access/TokensTab'))
const Effective = lazy(() => import('@/pages/access/EffectiveTab'))
const Realms = lazy(() => import('@/pages/access/RealmsTab'))
const Factors = lazy(() => import('@/pages/access/FactorsTab'))

/** Users, and what they may do. */
export default function AccessPage() {
  const { t } = useTranslation(['access', 'common'])
  const { tab } = useParams({ strict: false })
  const navigate = useNavigate()
  return (
    <Page title={t('title')} flush>
      <RouteTabs
        label={t('tabs')}
        current={tab}
        onChange={(next) => void navigate({ to: '/access/$tab', params: { tab: next }, search: {} })}
        tabs={[
          { id: 'users', label: t('tab.users'), panel: () => <Users />, flush: true },
          { id: 'groups', label: t('tab.groups'), panel: () => <Groups />, flush: true },
          { id: 'roles', label: t('tab.roles'), panel: () => <Roles />, flush: true },
          { id: 'permissions', label: t('tab.permissions'), panel: () => <Acl />, flush: true },
          { id: 'tokens', label: t('tab.tokens'), panel: () => <Tokens />, flush: true },
          { id: 'effective', label: t('tab.effective'), panel: () => <Effective /> },
          { id: 'realms', label: t('tab.realms'), panel: () => <Realms /> },
          { id: 'factors', label: t('tab.factors'), panel: () => <Factors /> },
        ]}
      />
    </Page>
  )
}
