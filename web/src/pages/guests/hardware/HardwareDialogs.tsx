import { Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import type { Guest } from '@/live/types'
import { CdDialog } from '@/pages/guests/hardware/CdDialog'
import { ConfigDialog, type DialogProps } from '@/pages/guests/hardware/ConfigDialog'
import { CpuDialog, MemoryDialog } from '@/pages/guests/hardware/CpuMemory'
import { AddDisk, AddStored, AttachDisk, EditDisk, RemoveDisk, ResizeDisk } from '@/pages/guests/hardware/DiskDialogs'
import type { Device, PendingRow } from '@/pages/guests/hardware/devices'
import { NicDialog } from '@/pages/guests/hardware/NicDialog'

/** What somebody wants to do: the dialog that is open. */
export type Asked =
  | { what: 'addDisk' | 'addCd' | 'addNic' }
  | { what: 'addStored'; kind: 'efi' | 'tpm' | 'cloudinit' }
  | { what: 'addOption'; name: string; title: string; prefill: string }
  | { what: 'edit' | 'remove' | 'resize' | 'detach' | 'attach' | 'all'; device: Device }

interface Props extends DialogProps {
  guest: Guest
  rows: readonly PendingRow[]
  asked: Asked
}

export function HardwareDialogs({ asked, ...props }: Props) {
  switch (asked.what) {
    case 'addDisk':
      return <AddDisk {...props} />
    case 'addCd':
      return <CdDialog {...props} />
    case 'addNic':
      return <NicDialog {...props} />
    case 'addStored':
      return <AddStored {...props} what={asked.kind} />
    case 'addOption':
      return <AddOption {...props} {...asked} />
    case 'edit':
      return <Edit {...props} device={asked.device} />
    case 'all':
      return <EditOptions {...props} device={asked.device} />
    case 'resize':
      return <ResizeDisk {...props} device={asked.device} />
    case 'detach':
      return <RemoveDisk {...props} device={asked.device} />
    case 'attach':
      return <AttachDisk {...props} device={asked.device} />
    case 'remove':
      return <Remove {...props} device={asked.device} />
  }
}

type Of = Omit<Props, 'asked'> & { device: Device }

function Edit(props: Of) {
  const { kind } = props.device
  if (kind === 'disk') return <EditDisk {...props} />
  if (kind === 'cdrom') return <CdDialog {...props} />
  if (kind === 'net') return <NicDialog {...props} />
  if (kind === 'memory') return <MemoryDialog {...props} />
  if (kind === 'cpu') return <CpuDialog {...props} />
  return <EditOptions {...props} />
}

/** The form that the options' schema gives. */
function EditOptions({ guest, device, onClose }: Of) {
  const { t } = useTranslation(['guest', 'common'])
  const { node, vmid } = guest
  const config = useApi('GET /nodes/{node}/qemu/{vmid}/config', { node, vmid }).data
  if (!config) return null
  return (
    <OperationDialog
      opened
      onClose={onClose}
      title={t('hw.edit', { name: t(`hw.kind.${device.kind}`) })}
      operation="PUT /nodes/{node}/qemu/{vmid}/config"
      fixed={{ node, vmid }}
      values={config}
      only={device.keys}
      submit={t('common:save')}
    />
  )
}

function AddOption({
  guest,
  name,
  title,
  prefill,
  onClose,
}: DialogProps & { name: string; title: string; prefill: string }) {
  const { t } = useTranslation('guest')
  const { node, vmid } = guest
  return (
    <OperationDialog
      opened
      onClose={onClose}
      title={title}
      operation="POST /nodes/{node}/qemu/{vmid}/config"
      fixed={{ node, vmid }}
      prefill={{ [name]: prefill }}
      only={[name]}
      submit={t('add.do')}
    />
  )
}

function Remove({ guest, device, onClose }: Of) {
  const { t } = useTranslation(['guest', 'common'])
  const name = `${t(`hw.kind.${device.kind}`)} (${device.key})`
  return (
    <ConfigDialog
      guest={guest}
      title={t('hw.remove', { name })}
      submit={t('common:remove')}
      danger
      change={() => ({ delete: device.key })}
      onClose={onClose}
    >
      <Text size="sm">{t(guest.status === 'running' ? 'hw.removeRunning' : 'hw.removeText')}</Text>
    </ConfigDialog>
  )
}
