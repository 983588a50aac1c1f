/** The volumes of one content type, and what can be done with them. */
import { Anchor, Badge, Button, Text } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import {
  IconCopy,
  IconLock,
  IconLockOpen,
  IconNotes,
  IconPackage,
  IconPlus,
  IconTrash,
  IconUpload,
  IconWorldDownload,
} from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import type { TFunction } from 'i18next'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useAllowed } from '@/api/permissions'
import { useApi } from '@/api/query'
import { type Deed, VolumeDialogs } from '@/pages/storage/content/VolumeDialogs'
import { type Content, filename, isSource, type Volume, volname } from '@/pages/storage/content/volumes'
import { type BulkAction, type Column, DataTable, type RowAction } from '@/ui/DataTable'
import { bytes, moment } from '@/ui/format'
import { notify } from '@/ui/notify'
import { useDialog } from '@/ui/useDialog'

export interface Place {
  node: string
  storage: string
}

interface Props extends Place {
  content: Content
  onUpload?: () => void
  onDownload?: () => void
}

export function ContentTab({ node, storage, content, onUpload, onDownload }: Props) {
  const { t } = useTranslation('storage')
  const query = useApi('GET /nodes/{node}/storage/{storage}/content', { node, storage, content })
  const dialog = useDialog<Deed>()
  const columns = useColumns(content)
  const actions = useActions({ node, storage }, dialog.open)
  const bulk = useBulk(dialog.open)
  return (
    <>
      <DataTable
        id={`storage-${content}`}
        label={t(`contents.${content}`)}
        columns={columns}
        rows={query.data ?? []}
        rowKey={(row) => row.volid}
        rowName={(row) => filename(row.volid)}
        loading={query.isPending}
        error={query.error}
        onRetry={() => void query.refetch()}
        actions={actions}
        bulk={bulk}
        defaultSort={content === 'images' ? 'vmid' : '-ctime'}
        empty={{
          title: t(`empty.${content}`),
          description: t(`emptyHint.${content}`),
          icon: <IconPackage />,
          action: <Fill onUpload={onUpload} onDownload={onDownload} />,
        }}
      />
      <VolumeDialogs
        deed={dialog.value}
        opened={dialog.opened}
        id={dialog.key}
        onClose={dialog.close}
        place={{ node, storage }}
      />
    </>
  )
}

function Fill({ onUpload, onDownload }: Pick<Props, 'onUpload' | 'onDownload'>) {
  const { t } = useTranslation('storage')
  if (!onUpload || !onDownload) return null
  return (
    <Button.Group>
      <Button variant="default" leftSection={<IconUpload size={16} aria-hidden />} onClick={onUpload}>
        {t('upload')}
      </Button>
      <Button variant="default" leftSection={<IconWorldDownload size={16} aria-hidden />} onClick={onDownload}>
        {t('download')}
      </Button>
    </Button.Group>
  )
}

function Owner({ vmid }: { vmid: number }) {
  return (
    <Anchor size="sm" renderRoot={(props) => <Link to="/guests/$vmid" params={{ vmid: String(vmid) }} {...props} />}>
      {vmid}
    </Anchor>
  )
}

const named = (content: Content, t: TFunction<'storage'>): Column<Volume> => ({
  id: 'name',
  header: t('columns.name'),
  value: (row) => (content === 'images' ? volname(row.volid) : filename(row.volid)),
  width: 280,
  required: true,
  mobile: 'title',
})

function useColumns(content: Content): Column<Volume>[] {
  const { t } = useTranslation('storage')
  return useMemo(() => {
    const columns: Column<Volume>[] = [named(content, t)]
    if (content === 'images' || content === 'backup')
      columns.push({
        id: 'vmid',
        header: t('columns.guest'),
        value: (row) => row.vmid,
        cell: (row) => (row.vmid ? <Owner vmid={row.vmid} /> : null),
        card: (row) => (row.vmid ? `VM ${row.vmid}` : null),
        width: 90,
        mobile: 'meta',
      })
    columns.push(
      {
        id: 'size',
        header: t('columns.size'),
        value: (row) => row.size,
        cell: (row) => bytes(row.size),
        width: 100,
        align: 'right',
        mobile: 'side',
      },
      {
        id: 'used',
        header: t('columns.used'),
        value: (row) => row.used,
        cell: (row) => (row.used === undefined ? '' : bytes(row.used)),
        width: 100,
        align: 'right',
        optional: content !== 'images',
      },
      {
        id: 'format',
        header: t('columns.format'),
        value: (row) => row.format,
        width: 90,
        mobile: 'meta',
        filter: 'options',
      },
      {
        id: 'ctime',
        header: t('columns.made'),
        value: (row) => row.ctime,
        cell: (row) => moment(row.ctime),
        width: 180,
        mobile: 'meta',
      },
    )
    if (content === 'backup') columns.push(...backupColumns(t))
    return columns
  }, [content, t])
}

const backupColumns = (t: TFunction<'storage'>): Column<Volume>[] => [
  {
    id: 'protected',
    header: t('columns.protected'),
    value: (row) => row.protected === 1,
    cell: (row) =>
      row.protected === 1 ? (
        <Badge variant="default" tt="none" fw={500}>
          {t('protected')}
        </Badge>
      ) : null,
    width: 110,
    mobile: 'side',
  },
  {
    id: 'notes',
    header: t('columns.notes'),
    value: (row) => row.notes,
    cell: (row) => (
      <Text size="sm" truncate>
        {row.notes}
      </Text>
    ),
    width: 220,
    mobile: 'meta',
  },
]

function useBulk(open: (deed: Deed) => void): BulkAction<Volume>[] {
  const { t } = useTranslation('storage')
  return useMemo(
    () => [
      {
        id: 'remove',
        label: t('remove'),
        icon: <IconTrash size={16} />,
        danger: true,
        primary: true,
        disabled: (rows) => (rows.every((row) => row.protected === 1) ? t('isProtected') : undefined),
        onClick: (volumes) => open({ kind: 'removeAll', volumes }),
      },
    ],
    [t, open],
  )
}

function useActions(place: Place, open: (deed: Deed) => void): (row: Volume) => RowAction[] {
  const { t } = useTranslation('storage')
  const navigate = useNavigate()
  const clipboard = useClipboard()
  const mayRemove = useAllowed(`/storage/${place.storage}`, 'Datastore.Allocate')
  const copy = (volid: string) => {
    clipboard.copy(volid)
    notify.show({ message: t('copied', { volid }), autoClose: 2000 })
  }
  const create = (volid: string) =>
    void navigate({ to: '.', search: (all) => ({ ...all, create: 'vm', from: volid, node: place.node }) })
  return (row) => {
    const backup = row.content === 'backup'
    const held = row.protected === 1
    const own: RowAction[] = backup
      ? [
          {
            id: 'notes',
            label: t('editNotes'),
            icon: <IconNotes size={16} />,
            onClick: () => open({ kind: 'notes', volume: row }),
          },
          {
            id: 'protect',
            label: held ? t('unprotect') : t('protect'),
            icon: held ? <IconLockOpen size={16} /> : <IconLock size={16} />,
            onClick: () => open({ kind: 'protect', volume: row }),
          },
        ]
      : []
    return [
      ...(isSource(row)
        ? [{ id: 'create', label: t('createFrom'), icon: <IconPlus size={16} />, onClick: () => create(row.volid) }]
        : []),
      { id: 'copy', label: t('copyVolid'), icon: <IconCopy size={16} />, onClick: () => copy(row.volid) },
      ...own,
      {
        id: 'remove',
        label: t('remove'),
        icon: <IconTrash size={16} />,
        danger: true,
        divider: true,
        disabled: held ? t('isProtected') : mayRemove || row.vmid ? undefined : t('mayNotRemove'),
        onClick: () => open({ kind: 'remove', volume: row }),
      },
    ]
  }
}
