import {
  Alert,
  Badge,
  Button,
  Code,
  CopyButton,
  Group,
  ScrollArea,
  SimpleGrid,
  Stack,
  Text,
  Textarea,
} from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useAllowed } from '@/api/permissions'
import { refresh, useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import { labelOf } from '@/forms/schema'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { Answer } from '@/ui/Answer'
import { moment } from '@/ui/format'
import { Facts, Section } from '@/ui/Section'
import { useDialog } from '@/ui/useDialog'

/** What the operating system under the node is told. */
export default function SystemTab({ node }: { node: string }) {
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Dns node={node} />
        <Time node={node} />
        <Options node={node} />
        <Hosts node={node} />
      </SimpleGrid>
      <Certificates node={node} />
    </Stack>
  )
}

function EditButton({ name, onClick }: { name: string; onClick: () => void }) {
  const { t } = useTranslation()
  return (
    <Button size="xs" variant="default" onClick={onClick} aria-label={name}>
      {t('edit')}
    </Button>
  )
}

interface OfNode {
  node: string
}

function Dns({ node }: OfNode) {
  const { t } = useTranslation(['node', 'common'])
  const query = useApi('GET /nodes/{node}/dns', { node }, { staleTime: 0 })
  const may = useAllowed(`/nodes/${node}`, 'Sys.Modify')
  const edit = useDialog<true>()
  return (
    <Section
      title={t('system.dns')}
      help={t('system.dnsHelp')}
      actions={may && <EditButton name={t('system.dnsTitle')} onClick={() => edit.open(true)} />}
    >
      <Answer query={query} needs={`Sys.Audit (/nodes/${node})`}>
        {(dns) => (
          <>
            <Facts
              facts={[
                [t('system.search'), dns.search || t('common:none')],
                [t('system.servers'), [dns.dns1, dns.dns2, dns.dns3].filter(Boolean).join(', ') || t('common:none')],
              ]}
            />
            <OperationDialog
              opened={edit.opened}
              onClose={edit.close}
              title={t('system.dnsTitle')}
              operation="PUT /nodes/{node}/dns"
              fixed={{ node }}
              prefill={dns}
              submit={t('common:save')}
              onDone={() => void refresh('GET /nodes/{node}/dns')}
            />
          </>
        )}
      </Answer>
    </Section>
  )
}

function Time({ node }: OfNode) {
  const { t } = useTranslation(['node', 'common'])
  const query = useApi('GET /nodes/{node}/time', { node }, { staleTime: 0 })
  const may = useAllowed(`/nodes/${node}`, 'Sys.Modify')
  const edit = useDialog<true>()
  return (
    <Section
      title={t('system.time')}
      help={t('system.timeHelp')}
      actions={may && <EditButton name={t('system.timeTitle')} onClick={() => edit.open(true)} />}
    >
      <Answer query={query} needs={`Sys.Audit (/nodes/${node})`}>
        {(time) => (
          <>
            <Facts
              facts={[
                [t('system.zone'), time.timezone],
                // `localtime` counts as if the zone were UTC.
                [t('system.clock'), new Date(time.localtime * 1000).toISOString().slice(0, 19).replace('T', ' ')],
              ]}
            />
            <OperationDialog
              opened={edit.opened}
              onClose={edit.close}
              title={t('system.timeTitle')}
              operation="PUT /nodes/{node}/time"
              fixed={{ node }}
              prefill={{ timezone: time.timezone }}
              submit={t('common:save')}
              onDone={() => void refresh('GET /nodes/{node}/time')}
            />
          </>
        )}
      </Answer>
    </Section>
  )
}

function Options({ node }: OfNode) {
  const { t } = useTranslation(['node', 'common'])
  const query = useApi('GET /nodes/{node}/config', { node })
  const may = useAllowed('/', 'Sys.Modify')
  const edit = useDialog<true>()
  return (
    <Section
      title={t('system.options')}
      help={t('system.optionsHelp')}
      actions={may && <EditButton name={t('system.optionsTitle', { node })} onClick={() => edit.open(true)} />}
    >
      <Answer query={query} needs="Sys.Audit (/)">
        {(config) => {
          const set = Object.entries(config).filter(([name]) => name !== 'digest' && name !== 'description')
          return (
            <>
              {set.length > 0 ? (
                <Facts facts={set.map(([name, value]) => [labelOf(name) ?? name, String(value)] as const)} />
              ) : (
                <Text size="sm">{t('system.noOptions')}</Text>
              )}
              <OperationDialog
                opened={edit.opened}
                onClose={edit.close}
                title={t('system.optionsTitle', { node })}
                operation="PUT /nodes/{node}/config"
                fixed={{ node }}
                values={config}
                order={['wakeonlan', 'startall-onboot-delay', 'ballooning-target', 'location', 'description']}
                submit={t('common:save')}
              />
            </>
          )
        }}
      </Answer>
    </Section>
  )
}

function Hosts({ node }: OfNode) {
  const { t } = useTranslation(['node', 'common'])
  const query = useApi('GET /nodes/{node}/hosts', { node }, { staleTime: 0 })
  const may = useAllowed(`/nodes/${node}`, 'Sys.Modify')
  const edit = useDialog<Result<'GET /nodes/{node}/hosts'>>()
  const open = () => query.data && edit.open(query.data)
  return (
    <Section
      title={t('system.hosts')}
      help={t('system.hostsHelp')}
      actions={may && query.data && <EditButton name={t('system.hostsTitle')} onClick={open} />}
    >
      <Answer query={query} needs="Sys.Audit (/)">
        {(hosts) => (
          <ScrollArea.Autosize mah={220} viewportProps={{ tabIndex: 0, 'aria-label': t('system.hostsText') }}>
            <Code block>{hosts.data}</Code>
          </ScrollArea.Autosize>
        )}
      </Answer>
      {edit.value && (
        <HostsDialog key={edit.key} node={node} hosts={edit.value} opened={edit.opened} onClose={edit.close} />
      )}
    </Section>
  )
}

function HostsDialog({
  node,
  hosts,
  opened,
  onClose,
}: {
  node: string
  hosts: { data: string; digest: string }
  opened: boolean
  onClose: () => void
}) {
  const { t } = useTranslation(['node', 'common'])
  const [text, setText] = useState(hosts.data)
  const [errors, setErrors] = useState<Record<string, string>>({})
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('system.hostsTitle')}
      operation="POST /nodes/{node}/hosts"
      params={() => ({ node, data: text, digest: hosts.digest })}
      submit={t('common:save')}
      onErrors={setErrors}
      onDone={() => void refresh('GET /nodes/{node}/hosts')}
    >
      <Stack>
        <Alert variant="light">{t('system.hostsWarning')}</Alert>
        <Textarea
          label={t('system.hostsText')}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={errors.data}
          autosize
          minRows={8}
          maxRows={24}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        />
      </Stack>
    </ChangeDialog>
  )
}

type Certificate = Result<'GET /nodes/{node}/certificates/info'>[number]

function Certificates({ node }: OfNode) {
  const { t } = useTranslation('node')
  const query = useApi('GET /nodes/{node}/certificates/info', { node }, { staleTime: 0 })
  return (
    <Section title={t('system.certificates')} help={t('system.certificatesHelp')}>
      <Answer query={query}>
        {(certificates) => (
          <SimpleGrid cols={{ base: 1, lg: 2 }}>
            {certificates.map((each) => (
              <OneCertificate key={each.filename} certificate={each} />
            ))}
          </SimpleGrid>
        )}
      </Answer>
    </Section>
  )
}

const daysUntil = (seconds: number): number => Math.floor((seconds - Date.now() / 1000) / 86400)

function OneCertificate({ certificate }: { certificate: Certificate }) {
  const { t } = useTranslation(['node', 'common'])
  const days = daysUntil(certificate.notafter)
  const left = days < 0 ? t('system.expired') : t('system.days', { count: days })
  const tone = days < 0 ? 'red' : days < 30 ? 'yellow' : 'gray'
  return (
    <Stack gap="xs">
      <Facts
        facts={[
          [t('system.file'), certificate.filename],
          [t('system.subject'), certificate.subject],
          [t('system.issuer'), certificate.issuer],
          [
            t('system.valid'),
            <Group key="v" gap="xs">
              {moment(certificate.notafter)}
              <Badge variant="default" color={tone}>
                {left}
              </Badge>
            </Group>,
          ],
          certificate.san.length > 0 && [t('system.names'), certificate.san.join(', ')],
          [
            t('system.key'),
            t('system.keyText', {
              type: certificate['public-key-type'],
              bits: certificate['public-key-bits'],
            }),
          ],
          [t('system.fingerprint'), certificate.fingerprint],
        ]}
      />
      <CopyButton value={certificate.pem}>
        {({ copied, copy }) => (
          <Button size="xs" variant="default" w="fit-content" onClick={copy}>
            {copied ? t('common:copied') : `${t('system.copyPem')} ${certificate.filename}`}
          </Button>
        )}
      </CopyButton>
    </Stack>
  )
}
