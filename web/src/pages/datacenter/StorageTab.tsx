import { Button, Text } from '@mantine/core'
import {
  IconDatabase,
  IconFolderOpen,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlus,
  IconTrash,
} from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useAllowed } from '@/api/permissions'
import { useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import { useStorages } from '@/live/inventory'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { type Column, DataTable, type RowAction } from '@/ui/DataTable'
import { StatusDot } from '@/ui/StatusDot'
import { useDialog } from '@/ui/useDialog'

type Definition = Result<'GET /storage'>[number]
const NONE: readonly Definition[] = []
const nameOf = (row: Definition): string => row.storage ?? ''
const list = (text: string | undefined): string[] => (text ?? '').split(',').filter(Boolean)
const ORDER = ['storage', 'type', 'path', 'content', 'nodes', 'shared', 'disable'] as const

function useColumns(): Column<Definition>[] {
  const { t } = useTranslation(['datacenter', 'common'])
  return useMemo(
    () => [
      { id: 'storage', header: t('storage.id'), value: nameOf, width: 150, required: true, mobile: 'title' },
      { id: 'type', header: t('storage.type'), value: (row) => row.type, width: 80, filter: 'options', mobile: 'meta' },
      { id: 'content', header: t('storage.content'), value: (row) => list(row.content), width: 240, filter: 'options' },
      { id: 'path', header: t('storage.path'), value: (row) => row.path, width: 220, mobile: 'meta' },
      {
        id: 'nodes',
        header: t('storage.nodes'),
        value: (row) => (row.nodes ? list(row.nodes) : t('storage.all')),
        width: 120,
      },
      {
        id: 'state',
        header: t('storage.state'),
        value: (row) => (row.disable === 1 ? t('storage.disabled') : t('storage.enabled')),
        cell: (row) => (
          <StatusDot
            status={row.disable === 1 ? 'stopped' : 'OK'}
            label={row.disable === 1 ? t('storage.disabled') : t('storage.enabled')}
          />
        ),
        width: 110,
        filter: 'options',
        mobile: 'side',
      },
    ],
    [t],
  )
}

export default function StorageTab() {
  const { t } = useTranslation(['datacenter', 'common'])
  const query = useApi('GET /storage', {})
  const columns = useColumns()
  const may = useAllowed('/storage', 'Datastore.Allocate')
  const add = useDialog<true>()
  const edit = useDialog<Definition>()
  const enable = useDialog<Definition>()
  const remove = useDialog<Definition>()
  const actions = useActions({ may, edit: edit.open, enable: enable.open, remove: remove.open })
  const button = may && (
    <Button size="xs" ml="auto" leftSection={<IconPlus size={16} />} onClick={() => add.open(true)}>
      {t('storage.add')}
    </Button>
  )
  return (
    <>
      <DataTable
        id="definitions"
        label={t('storage.list')}
        columns={columns}
        rows={query.data ?? NONE}
        rowKey={nameOf}
        rowName={nameOf}
        loading={query.isPending}
        error={query.error}
        onRetry={() => void query.refetch()}
        onOpen={(row) => may && edit.open(row)}
        actions={actions}
        toolbar={button}
        empty={{
          title: t('storage.emptyTitle'),
          description: t('storage.emptyText'),
          icon: <IconDatabase />,
          action: button,
        }}
      />
      <OperationDialog
        opened={add.opened}
        onClose={add.close}
        title={t('storage.addTitle')}
        operation="POST /storage"
        prefill={{ type: 'dir', content: 'images,iso,import' }}
        order={ORDER}
        submit={t('common:create')}
      />
      {edit.value && (
        <OperationDialog
          opened={edit.opened}
          onClose={edit.close}
          title={t('storage.editTitle', { storage: nameOf(edit.value) })}
          operation="PUT /storage/{storage}"
          fixed={{ storage: nameOf(edit.value) }}
          values={edit.value}
          order={ORDER}
          submit={t('common:save')}
        />
      )}
      {enable.value && <EnableDialog row={enable.value} opened={enable.opened} onClose={enable.close} />}
      {remove.value && (
        <ChangeDialog
          opened={remove.opened}
          onClose={remove.close}
          title={t('storage.removeTitle', { storage: nameOf(remove.value) })}
          operation="DELETE /storage/{storage}"
          params={() => ({ storage: remove.value ? nameOf(remove.value) : '' })}
          submit={t('common:remove')}
          danger
          size="md"
        >
          <Text>{t('storage.removeText')}</Text>
        </ChangeDialog>
      )}
    </>
  )
}

type Doing = (row: Definition) => void

function useActions({ may, edit, enable, remove }: { may: boolean; edit: Doing; enable: Doing; remove: Doing }) {
  const { t } = useTranslation(['datacenter', 'common'])
  const navigate = useNavigate()
  const places = useStorages()
  const refused = may ? undefined : t('needs', { privilege: 'Datastore.Allocate' })
  return (row: Definition): readonly RowAction[] => {
    const place = places.find((each) => each.storage === row.storage)
    return [
      {
        id: 'open',
        label: t('storage.open'),
        icon: <IconFolderOpen size={16} />,
        disabled: place ? undefined : t('storage.disabled'),
        onClick: () =>
          place &&
          void navigate({
            to: '/storage/$node/$storage',
            params: { node: place.node, storage: place.storage },
          }),
      },
      {
        id: 'edit',
        label: t('common:edit'),
        icon: <IconPencil size={16} />,
        disabled: refused,
        onClick: () => edit(row),
      },
      {
        id: 'enable',
        label: row.disable === 1 ? t('storage.enable') : t('storage.disable'),
        icon: row.disable === 1 ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />,
        disabled: refused,
        onClick: () => enable(row),
      },
      {
        id: 'remove',
        label: t('common:remove'),
        icon: <IconTrash size={16} />,
        danger: true,
        divider: true,
        disabled: refused,
        onClick: () => remove(row),
      },
    ]
  }
}

function EnableDialog({ row, opened, onClose }: { row: Definition; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation(['datacenter', 'common'])
  const disabled = row.disable === 1
  const storage = nameOf(row)
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={disabled ? t('storage.enableTitle', { storage }) : t('storage.disableTitle', { storage })}
      operation="PUT /storage/{storage}"
      params={() => ({ storage, disable: !disabled })}
      submit={disabled ? t('storage.enable') : t('storage.disable')}
      danger={!disabled}
      size="md"
    >
      {!disabled && <Text>{t('storage.disableText')}</Text>}
    </ChangeDialog>
  )
}
