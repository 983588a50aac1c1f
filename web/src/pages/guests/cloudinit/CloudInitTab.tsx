import { Alert, Button, Group, Stack } from '@mantine/core'
import { IconCloud, IconRefresh } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import type { Guest } from '@/live/types'
import { decodedKeys, keyWords } from '@/pages/guests/cloudinit/cloud'
import { AddressDialog, Generated, KeysDialog } from '@/pages/guests/cloudinit/dialogs'
import { AddStored } from '@/pages/guests/hardware/DiskDialogs'
import { devicesOf, type PendingRow } from '@/pages/guests/hardware/devices'
import { useGuestMay } from '@/pages/guests/may'
import { OptionRow } from '@/pages/guests/options/OptionRow'
import classes from '@/pages/guests/options/Options.module.css'
import type { TabProps } from '@/pages/guests/tabs'
import { Answer } from '@/ui/Answer'
import { act } from '@/ui/act'
import { Section } from '@/ui/Section'
import { useDialog } from '@/ui/useDialog'

const PLAIN = [
  'ciuser',
  'cipassword',
  'sshkeys',
  'nameserver',
  'searchdomain',
  'ciupgrade',
  'citype',
  'cicustom',
] as const
/** Options that are edited together. */
const TOGETHER: Record<string, readonly string[]> = {
  ciuser: ['ciuser', 'cipassword'],
  cipassword: ['ciuser', 'cipassword'],
  nameserver: ['nameserver', 'searchdomain'],
  searchdomain: ['nameserver', 'searchdomain'],
}

export default function CloudInitTab({ guest }: TabProps) {
  const { t } = useTranslation('options')
  const { node, vmid } = guest
  const pending = useApi('GET /nodes/{node}/qemu/{vmid}/pending', { node, vmid })
  return (
    <Answer query={pending} needs="VM.Audit">
      {(answer) => {
        const rows = answer as PendingRow[]
        const drive = devicesOf(rows).some(({ kind }) => kind === 'cloudinit')
        return (
          <Stack gap="md" maw={900}>
            {!drive && <NoDrive guest={guest} rows={rows} />}
            <Settings guest={guest} rows={rows} drive={drive} />
            {drive && (
              <Section title={t('ci.generated')} help={t('ci.generatedHelp')}>
                <Generated guest={guest} />
              </Section>
            )}
          </Stack>
        )
      }}
    </Answer>
  )
}

function NoDrive({ guest, rows }: { guest: Guest; rows: readonly PendingRow[] }) {
  const { t } = useTranslation(['options', 'guest'])
  const may = useGuestMay(guest.vmid)
  const [opened, setOpened] = useState(false)
  return (
    <Alert color="gray" icon={<IconCloud size={20} />} title={t('ci.noDrive')}>
      <Stack gap="xs">
        {t('ci.noDriveText')}
        {may('VM.Config.CDROM') && (
          <Group>
            <Button size="xs" onClick={() => setOpened(true)}>
              {t('guest:add.cloudinit')}
            </Button>
          </Group>
        )}
      </Stack>
      {opened && <AddStored guest={guest} rows={rows} what="cloudinit" onClose={() => setOpened(false)} />}
    </Alert>
  )
}

function Settings({ guest, rows, drive }: { guest: Guest; rows: readonly PendingRow[]; drive: boolean }) {
  const { t } = useTranslation('options')
  const may = useGuestMay(guest.vmid)
  const dialog = useDialog<string>()
  const { node, vmid } = guest
  const nets = rows.flatMap(({ key }) => /^net(\d+)$/.exec(key)?.[1] ?? []).sort((a, b) => Number(a) - Number(b))
  const mayCloud = may('VM.Config.Cloudinit')
  const mayNet = may('VM.Config.Network')
  const regenerate = () => void act(t('ci.regenerate'), 'PUT /nodes/{node}/qemu/{vmid}/cloudinit', { node, vmid })
  const edit = (name: string, allowed: boolean) => (allowed ? () => dialog.open(name) : undefined)
  return (
    <Section
      title="Cloud-init"
      actions={
        drive &&
        mayCloud && (
          <Button size="xs" variant="default" leftSection={<IconRefresh size={14} />} onClick={regenerate}>
            {t('ci.regenerate')}
          </Button>
        )
      }
    >
      <dl className={classes.list}>
        {PLAIN.map((name) => {
          const net = name === 'nameserver' || name === 'searchdomain'
          const row = rows.find(({ key }) => key === name)
          return (
            <OptionRow
              key={name}
              name={name}
              label={t(`ci.${name}`)}
              value={shown(name, row)}
              onEdit={edit(name, net ? mayNet || mayCloud : mayCloud)}
            />
          )
        })}
        {nets.map((index) => (
          <OptionRow
            key={index}
            name={`ipconfig${index}`}
            label={t('ci.addressOf', { name: `net${index}` })}
            value={shown(
              `ipconfig${index}`,
              rows.find(({ key }) => key === `ipconfig${index}`),
            )}
            onEdit={edit(`ipconfig${index}`, mayNet || mayCloud)}
          />
        ))}
      </dl>
      {dialog.opened && dialog.value && (
        <Edit key={dialog.key} guest={guest} rows={rows} name={dialog.value} onClose={dialog.close} />
      )}
    </Section>
  )
}

/** An option as it will be: cloud-init reads it at the next start. */
function current(row: PendingRow | undefined): string {
  if (!row || row.delete) return ''
  return String(row.pending ?? row.value ?? '')
}

function shown(name: string, row: PendingRow | undefined): string | undefined {
  const text = current(row)
  if (text === '') return undefined
  if (name === 'sshkeys') {
    return decodedKeys(text)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(keyWords)
      .join(', ')
  }
  return text.replaceAll(',', ', ')
}

const isAddress = (name: string): name is `ipconfig${number}` => name.startsWith('ipconfig')

function Edit({
  guest,
  rows,
  name,
  onClose,
}: {
  guest: Guest
  rows: readonly PendingRow[]
  name: string
  onClose: () => void
}) {
  const { t } = useTranslation(['options', 'common'])
  const { node, vmid } = guest
  const before = current(rows.find(({ key }) => key === name))
  const config = useApi('GET /nodes/{node}/qemu/{vmid}/config', { node, vmid }).data
  if (name === 'sshkeys') return <KeysDialog guest={guest} before={before} onClose={onClose} />
  if (isAddress(name)) return <AddressDialog guest={guest} name={name} before={before} onClose={onClose} />
  if (!config) return null
  return (
    <OperationDialog
      opened
      onClose={onClose}
      title={t('ci.edit')}
      operation="PUT /nodes/{node}/qemu/{vmid}/config"
      fixed={{ node, vmid }}
      values={config}
      only={TOGETHER[name] ?? [name]}
      submit={t('common:save')}
    />
  )
}
