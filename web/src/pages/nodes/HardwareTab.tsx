import { Button, Stack } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useApi } from '@/api/query'
import { isForbidden, NoRight } from '@/ui/Answer'
import { type Column, DataTable } from '@/ui/DataTable'
import { Section } from '@/ui/Section'

type Pci = Result<'GET /nodes/{node}/hardware/pci'>[number]
type Usb = Result<'GET /nodes/{node}/hardware/usb'>[number]
const NO_PCI: readonly Pci[] = []
const NO_USB: readonly Usb[] = []

export default function HardwareTab({ node }: { node: string }) {
  return (
    <Stack>
      <PciDevices node={node} />
      <UsbDevices node={node} />
    </Stack>
  )
}

function Again({ onClick, busy }: { onClick: () => void; busy: boolean }) {
  const { t } = useTranslation('node')
  return (
    <Button size="xs" variant="default" leftSection={<IconRefresh size={14} />} loading={busy} onClick={onClick}>
      {t('service.refresh')}
    </Button>
  )
}

function PciDevices({ node }: { node: string }) {
  const { t } = useTranslation('node')
  const query = useApi('GET /nodes/{node}/hardware/pci', { node }, { staleTime: 0 })
  const columns = useMemo<Column<Pci>[]>(
    () => [
      { id: 'id', header: t('hardware.address'), value: (row) => row.id, width: 130, required: true, mobile: 'meta' },
      {
        id: 'device',
        header: t('hardware.device'),
        value: (row) => row.device_name ?? row.device,
        width: 260,
        mobile: 'title',
      },
      {
        id: 'vendor',
        header: t('hardware.vendor'),
        value: (row) => row.vendor_name ?? row.vendor,
        width: 200,
        mobile: 'meta',
      },
      { id: 'class', header: t('hardware.class'), value: (row) => row.class, width: 100, filter: 'options' },
      {
        id: 'group',
        header: t('hardware.group'),
        value: (row) => (row.iommugroup === undefined || row.iommugroup < 0 ? t('hardware.noGroup') : row.iommugroup),
        width: 120,
        align: 'right',
      },
    ],
    [t],
  )
  return (
    <Section
      title={t('hardware.pci')}
      help={t('hardware.pciHelp')}
      actions={<Again onClick={() => void query.refetch()} busy={query.isFetching} />}
    >
      {isForbidden(query.error) ? (
        <NoRight needs="Sys.Audit (/)" />
      ) : (
        <DataTable
          id="pci"
          label={t('hardware.pci')}
          columns={columns}
          rows={query.data ?? NO_PCI}
          rowKey={(row) => row.id}
          rowName={(row) => row.id}
          loading={query.isPending}
          error={query.error}
          onRetry={() => void query.refetch()}
          empty={{ title: t('hardware.noPci') }}
          stateIn="memory"
          maxHeight={420}
        />
      )}
    </Section>
  )
}

function UsbDevices({ node }: { node: string }) {
  const { t } = useTranslation('node')
  const query = useApi('GET /nodes/{node}/hardware/usb', { node }, { staleTime: 0 })
  const columns = useMemo<Column<Usb>[]>(
    () => [
      {
        id: 'bus',
        header: t('hardware.bus'),
        value: (row) => `${row.busnum}-${row.usbpath ?? row.port}`,
        width: 90,
        required: true,
        mobile: 'meta',
      },
      {
        id: 'device',
        header: t('hardware.device'),
        value: (row) => row.product ?? `${row.vendid}:${row.prodid}`,
        width: 240,
        mobile: 'title',
      },
      {
        id: 'vendor',
        header: t('hardware.vendor'),
        value: (row) => row.manufacturer ?? row.vendid,
        width: 180,
        mobile: 'meta',
      },
      {
        id: 'speed',
        header: t('hardware.speed'),
        value: (row) => t('hardware.speedText', { speed: row.speed }),
        width: 120,
      },
      { id: 'serial', header: t('hardware.serial'), value: (row) => row.serial, width: 160 },
    ],
    [t],
  )
  return (
    <Section title={t('hardware.usb')} actions={<Again onClick={() => void query.refetch()} busy={query.isFetching} />}>
      {isForbidden(query.error) ? (
        <NoRight needs="Sys.Modify (/)" />
      ) : (
        <DataTable
          id="usb"
          label={t('hardware.usb')}
          columns={columns}
          rows={query.data ?? NO_USB}
          rowKey={(row) => `${row.busnum}-${row.devnum}`}
          rowName={(row) => row.product ?? `${row.vendid}:${row.prodid}`}
          loading={query.isPending}
          error={query.error}
          onRetry={() => void query.refetch()}
          empty={{ title: t('hardware.noUsb'), description: t('hardware.noUsbText') }}
          stateIn="memory"
          maxHeight={420}
        />
      )}
    </Section>
  )
}
