import { Button, EmptyState, Group, Loader, Stack, Table, Text } from '@mantine/core'
import { IconPlugConnectedX, IconRefresh, IconRobot } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import type { Guest } from '@/live/types'
import { AgentActions } from '@/pages/guests/agent/AgentActions'
import {
  fileSystemsOf,
  hostNameOf,
  interfacesOf,
  secondsOf,
  systemOf,
  usersOf,
  versionOf,
  zoneOf,
} from '@/pages/guests/agent/answers'
import { type Answers, useAgent } from '@/pages/guests/agent/useAgent'
import { useGuestMay } from '@/pages/guests/may'
import { flag, partOf } from '@/pages/guests/props'
import type { TabProps } from '@/pages/guests/tabs'
import { explain } from '@/ui/act'
import { bytes, moment, percent } from '@/ui/format'
import { Facts, Section } from '@/ui/Section'

export default function AgentTab({ guest }: TabProps) {
  const { t } = useTranslation('options')
  const { node, vmid } = guest
  const may = useGuestMay(vmid)
  const config = useApi('GET /nodes/{node}/qemu/{vmid}/config', { node, vmid }).data
  const on = flag(partOf(String(config?.agent ?? ''), 'enabled', 'enabled'))
  const running = guest.status === 'running'
  const asked = useAgent(guest, on && running)
  if (!config) return null
  if (!on) return <Off guest={guest} mayEdit={may('VM.Config.Options')} />
  if (!running)
    return <EmptyState py="xl" icon={<IconRobot />} title={t('agent.stopped')} description={t('agent.stoppedText')} />
  return (
    <Answered asked={asked}>
      {(told) => (
        <Stack gap="md">
          <Group>
            <Button
              variant="default"
              size="xs"
              leftSection={<IconRefresh size={14} />}
              loading={asked.isFetching}
              onClick={() => void asked.refetch()}
            >
              {t('agent.refresh')}
            </Button>
            <AgentActions guest={guest} may={may} />
          </Group>
          <System told={told} />
          <FileSystems told={told} />
          <Interfaces told={told} />
          <Users told={told} />
        </Stack>
      )}
    </Answered>
  )
}

function Answered({ asked, children }: { asked: ReturnType<typeof useAgent>; children: (told: Answers) => ReactNode }) {
  const { t } = useTranslation()
  if (asked.error) return <Silent reason={explain(asked.error)} onRetry={() => void asked.refetch()} />
  if (!asked.data) return <Loader m="xl" aria-label={t('loading')} />
  return <>{children(asked.data)}</>
}

function Silent({ reason, onRetry }: { reason: string; onRetry: () => void }) {
  const { t } = useTranslation(['options', 'common'])
  return (
    <EmptyState
      py="xl"
      icon={<IconPlugConnectedX />}
      title={t('agent.silent')}
      description={`${t('agent.silentText')} ${reason}`}
    >
      <EmptyState.Actions>
        <Button variant="default" onClick={onRetry}>
          {t('common:retry')}
        </Button>
      </EmptyState.Actions>
    </EmptyState>
  )
}

function Off({ guest, mayEdit }: { guest: Guest; mayEdit: boolean }) {
  const { t } = useTranslation(['options', 'common'])
  const [opened, setOpened] = useState(false)
  const { node, vmid } = guest
  return (
    <EmptyState py="xl" icon={<IconRobot />} title={t('agent.off')} description={t('agent.offText')}>
      {mayEdit && (
        <EmptyState.Actions>
          <Button onClick={() => setOpened(true)}>{t('agent.turnOn')}</Button>
        </EmptyState.Actions>
      )}
      <OperationDialog
        opened={opened}
        onClose={() => setOpened(false)}
        title={t('agent.turnOn')}
        operation="PUT /nodes/{node}/qemu/{vmid}/config"
        fixed={{ node, vmid }}
        prefill={{ agent: 'enabled=1' }}
        only={['agent']}
        submit={t('common:save')}
      />
    </EmptyState>
  )
}

interface Told {
  told: Answers
}

function System({ told }: Told) {
  const { t } = useTranslation('options')
  const system = systemOf(told['get-osinfo']?.answer)
  const host = hostNameOf(told['get-host-name']?.answer)
  const zone = zoneOf(told['get-timezone']?.answer)
  const time = secondsOf(told['get-time']?.answer)
  const version = versionOf(told.info?.answer)
  return (
    <Section title={t('agent.system')}>
      <Facts
        facts={[
          system.name !== '' && [t('agent.os'), system.name],
          system.kernel !== '' && [t('agent.kernel'), system.kernel],
          system.machine !== '' && [t('agent.machine'), system.machine],
          host !== '' && [t('agent.host'), host],
          time !== undefined && [t('agent.time'), `${moment(time)}${zone ? ` (${zone})` : ''}`],
          version !== '' && [t('agent.version'), version],
        ]}
      />
    </Section>
  )
}

interface ListedProps {
  title: string
  empty: string
  error: string | undefined
  head: string[]
  rows: string[][]
}

function Listed({ title, empty, error, head, rows }: ListedProps) {
  const { t } = useTranslation('options')
  if (rows.length === 0) {
    return (
      <Section title={title}>
        <Text size="sm">{error === undefined ? empty : `${t('agent.notAsked')} ${error}`}</Text>
      </Section>
    )
  }
  return (
    <Section title={title}>
      <Table.ScrollContainer minWidth={480} scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': title } }}>
        <Table verticalSpacing={6} fz="sm" className="numeric">
          <Table.Thead>
            <Table.Tr>
              {head.map((name) => (
                <Table.Th key={name} scope="col">
                  {name}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((cells) => (
              <Table.Tr key={cells.join(' ')}>
                {cells.map((cell, place) => (
                  <Table.Td key={head[place]}>{cell}</Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Section>
  )
}

function FileSystems({ told }: Told) {
  const { t } = useTranslation('options')
  const { answer, error } = told['get-fsinfo'] ?? {}
  const rows = fileSystemsOf(answer).map(({ mountpoint, type, device, used, total }) => [
    mountpoint,
    type,
    device,
    used === undefined || !total ? '–' : `${bytes(used)} / ${bytes(total)} (${percent(used / total)})`,
  ])
  const head = [t('agent.mountpoint'), t('agent.type'), t('agent.device'), t('agent.used')]
  return <Listed title={t('agent.fileSystems')} empty={t('agent.nothing')} error={error} head={head} rows={rows} />
}

function Interfaces({ told }: Told) {
  const { t } = useTranslation('options')
  const { answer, error } = told['network-get-interfaces'] ?? {}
  const rows = interfacesOf(answer).map(({ name, mac, addresses }) => [name, mac, addresses.join(', ')])
  const head = [t('agent.interface'), t('agent.mac'), t('agent.addresses')]
  return <Listed title={t('agent.interfaces')} empty={t('agent.nothing')} error={error} head={head} rows={rows} />
}

function Users({ told }: Told) {
  const { t } = useTranslation('options')
  const { answer, error } = told['get-users'] ?? {}
  const rows = usersOf(answer).map(({ user, domain, since }) => [
    domain ? `${domain}\\${user}` : user,
    since === undefined ? '' : moment(since),
  ])
  const head = [t('agent.user'), t('agent.since')]
  return <Listed title={t('agent.users')} empty={t('agent.noUsers')} error={error} head={head} rows={rows} />
}
