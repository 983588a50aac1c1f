import { Button, Menu } from '@mantine/core'
import { IconChevronDown, IconPlus } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { ICONS, privilegeFor } from '@/pages/guests/hardware/actions'
import { freeIndex, type Kind, type PendingRow } from '@/pages/guests/hardware/devices'
import type { Asked } from '@/pages/guests/hardware/HardwareDialogs'

/** Families that a form made from the schema adds to: option, how many, what it begins with. */
const OPTIONS = [
  { kind: 'serial', family: 'serial', count: 4, prefill: 'socket' },
  { kind: 'usb', family: 'usb', count: 14, prefill: 'spice' },
  { kind: 'pci', family: 'hostpci', count: 16, prefill: '' },
  { kind: 'audio', family: 'audio', count: 1, prefill: 'device=ich9-intel-hda,driver=none' },
  { kind: 'rng', family: 'rng', count: 1, prefill: 'source=/dev/urandom,max_bytes=1024,period=1000' },
  { kind: 'virtiofs', family: 'virtiofs', count: 10, prefill: '' },
] as const

export function AddMenu({
  rows,
  may,
  onAsk,
}: {
  rows: readonly PendingRow[]
  may: (privilege: string) => boolean
  onAsk: (asked: Asked) => void
}) {
  const { t } = useTranslation('guest')
  const has = (key: string) => rows.some((row) => row.key === key)
  const items: { kind: Kind; asked: Asked; disabled?: boolean }[] = [
    { kind: 'disk', asked: { what: 'addDisk' } },
    { kind: 'cdrom', asked: { what: 'addCd' } },
    { kind: 'net', asked: { what: 'addNic' } },
    { kind: 'cloudinit', asked: { what: 'addStored', kind: 'cloudinit' } },
    { kind: 'efi', asked: { what: 'addStored', kind: 'efi' }, disabled: has('efidisk0') },
    { kind: 'tpm', asked: { what: 'addStored', kind: 'tpm' }, disabled: has('tpmstate0') },
    ...OPTIONS.map(({ kind, family, count, prefill }) => {
      const index = freeIndex(rows, family, count)
      return {
        kind,
        asked: { what: 'addOption', name: `${family}${index ?? 0}`, title: t(`add.${kind}`), prefill } as const,
        disabled: index === undefined,
      }
    }),
  ]
  const allowed = items.filter(({ kind }) => may(privilegeFor(kind)))
  if (allowed.length === 0) return null
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <Button leftSection={<IconPlus size={16} />} rightSection={<IconChevronDown size={14} />}>
          {t('add.device')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah="70vh" style={{ overflowY: 'auto' }}>
        {allowed.map(({ kind, asked, disabled }) => {
          const Icon = ICONS[kind]
          return (
            <Menu.Item key={kind} leftSection={<Icon size={16} />} disabled={disabled} onClick={() => onAsk(asked)}>
              {t(`hw.kind.${kind}`)}
            </Menu.Item>
          )
        })}
      </Menu.Dropdown>
    </Menu>
  )
}
