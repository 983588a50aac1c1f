/** One calm line for what is not as it should be: the connection, the quorum, nodes that are away. */
import { IconAlertTriangle, IconPlugConnectedX } from '@tabler/icons-react'
import { type ReactNode, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { useMay } from '@/api/session'
import { useNodes } from '@/live/inventory'
import { useStore } from '@/live/store'
import { connection } from '@/live/stream'
import classes from '@/shell/Banners.module.css'
import { ago } from '@/ui/format'

/** Only what lasts so long (ms) is told: a server that restarts is back before anybody has read it. */
const PATIENCE = 2500

export function Banners() {
  return (
    <div role="status" aria-live="polite">
      <Lost />
      <Quorum />
      <Offline />
    </div>
  )
}

function Banner({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <div className={classes.banner}>
      {icon}
      <span>{children}</span>
    </div>
  )
}

/** Drawn again every few seconds while something that counts time is shown. */
function useTicking(on: boolean): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!on) return
    setNow(Date.now())
    const timer = window.setInterval(() => setNow(Date.now()), 1000)
    return () => window.clearInterval(timer)
  }, [on])
  return now
}

function Lost() {
  const { t } = useTranslation('shell')
  const state = useStore(connection)
  const now = useTicking(state.kind === 'lost')
  if (state.kind !== 'lost' || now - state.since < PATIENCE) return null
  return (
    <Banner icon={<IconPlugConnectedX size={18} aria-hidden />}>
      {t('banner.lost', { node: window.location.hostname, ago: ago(state.since / 1000, now / 1000) })}{' '}
      <span className={classes.rest}>{t('banner.lostRest')}</span>
    </Banner>
  )
}

function Quorum() {
  const { t } = useTranslation('shell')
  const may = useMay('dc', 'Sys.Audit')
  const several = useNodes().length > 1
  const rows = useApi('GET /cluster/status', {}, { enabled: may && several }).data
  const cluster = rows?.find((row) => row.type === 'cluster')
  if (cluster?.quorate !== 0) return null
  return <Banner icon={<IconAlertTriangle size={18} aria-hidden />}>{t('banner.noQuorum')}</Banner>
}

function Offline() {
  const { t } = useTranslation('shell')
  const names = useNodes()
    .filter((row) => row.status === 'offline')
    .map((row) => row.node)
  if (names.length === 0) return null
  return (
    <Banner icon={<IconAlertTriangle size={18} aria-hidden />}>
      {t('banner.offline', { count: names.length, names: names.join(', ') })}
    </Banner>
  )
}
