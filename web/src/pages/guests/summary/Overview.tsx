import { Anchor, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { refresh, useApi } from '@/api/query'
import type { Guest } from '@/live/types'
import { flag, partOf } from '@/pages/guests/props'
import { powerOf, useCurrent } from '@/pages/guests/status'
import { addressesOf } from '@/pages/guests/summary/addresses'
import { bytes, duration, percent } from '@/ui/format'
import { Meter } from '@/ui/Meter'
import { Facts, Section } from '@/ui/Section'

export type Config = Result<'GET /nodes/{node}/qemu/{vmid}/config'>

/** What one asks first about a guest. */
export function Overview({
  guest,
  config,
  may,
}: {
  guest: Guest
  config: Config | undefined
  may: (privilege: string) => boolean
}) {
  const { t } = useTranslation(['guest', 'common'])
  const current = useCurrent(guest).data
  const power = powerOf(guest, current?.qmpstatus)
  const running = power === 'running'
  const agent = flag(partOf(String(config?.agent ?? ''), 'enabled', 'enabled'))
  return (
    <Section title={t('overview.title')}>
      {guest.status === 'running' && (
        <Stack gap={10}>
          <Meter
            label={t('overview.cpu')}
            share={guest.cpu}
            text={t('overview.cpuOf', { share: percent(guest.cpu, 1), count: guest.maxcpu })}
          />
          <Meter
            label={t('overview.memory')}
            share={guest.maxmem ? guest.mem / guest.maxmem : 0}
            text={t('overview.of', { used: bytes(guest.mem), all: bytes(guest.maxmem) })}
          />
        </Stack>
      )}
      <Facts
        facts={[
          [t('common:status'), t(`power.${power}`)],
          guest.status === 'running' && [t('overview.uptime'), duration(guest.uptime)],
          guest.status !== 'running' && [t('overview.cpu'), t('overview.vcpus', { count: guest.maxcpu })],
          guest.status !== 'running' && [t('overview.memory'), bytes(guest.maxmem)],
          [t('overview.disk'), bytes(guest.maxdisk)],
          [t('overview.addresses'), <Addresses key="a" guest={guest} agent={agent} running={running} may={may} />],
          [t('overview.os'), config?.ostype ?? 'other'],
          [t('overview.boot'), partOf(config?.boot ?? '', 'order')?.replaceAll(';', ' → ') || t('common:none')],
          current?.['running-machine'] !== undefined && [t('overview.machine'), current['running-machine']],
          current?.['running-qemu'] !== undefined && ['QEMU', current['running-qemu']],
          current?.ha?.managed === 1 && [t('overview.ha'), t('overview.haManaged')],
        ]}
      />
    </Section>
  )
}

function Addresses({
  guest,
  agent,
  running,
  may,
}: {
  guest: Guest
  agent: boolean
  running: boolean
  may: (privilege: string) => boolean
}) {
  const { t } = useTranslation('guest')
  const { node, vmid } = guest
  const mayAsk = may('VM.GuestAgent.Audit') || may('VM.GuestAgent.Unrestricted')
  const asks = running && agent && mayAsk
  const answer = useApi('GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces', { node, vmid }, { enabled: asks })
  const found = addressesOf(answer.data)
  useAskAgain(guest, asks && found.length === 0 && !answer.isFetching)
  if (found.length > 0)
    return (
      <Stack gap={0}>
        {found.map(({ ip, nic }) => (
          <Text key={`${nic} ${ip}`} size="sm" className="mono">
            {ip}
          </Text>
        ))}
      </Stack>
    )
  if (!running) return <>{t('overview.notRunning')}</>
  if (!agent)
    return (
      <Anchor
        component={Link}
        size="sm"
        td="underline"
        {...({ to: '/guests/$vmid/$tab', params: { vmid: String(vmid), tab: 'options' } } as object)}
      >
        {t('overview.noAgent')}
      </Anchor>
    )
  return <>{mayAsk ? t('overview.agentSilent') : t('overview.mayNotAsk')}</>
}

/**
 * A guest that boots has no agent yet and tells no event when it has: samples of its status are occasions to ask, less and
 * less often.
 */
function useAskAgain(guest: Guest, wanted: boolean): void {
  const { node, vmid, uptime } = guest
  const next = useRef(0)
  useEffect(() => {
    if (uptime < 5) next.current = 0 // started anew
    if (!wanted || uptime > 900 || uptime < next.current) return
    next.current = Math.max(uptime + 10, uptime * 1.5)
    void refresh('GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces', { node, vmid })
  }, [node, vmid, uptime, wanted])
}
