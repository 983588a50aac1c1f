import { Alert, Stack, Text } from '@mantine/core'
import { IconPencil, IconRestore } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useAllowed } from '@/api/permissions'
import { useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import { type FieldSchema, labelOf, useDescribe, useOperation } from '@/forms/schema'
import { texts } from '@/pages/datacenter/text'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { Answer } from '@/ui/Answer'
import { type Column, DataTable, type RowAction } from '@/ui/DataTable'
import { StatusDot } from '@/ui/StatusDot'
import { useDialog } from '@/ui/useDialog'

interface Row {
  name: string
  label: string
  value: string
  standard: string
  meaning: string
}

const NONE: readonly FieldSchema[] = []
const HIDDEN = new Set(['delete', 'digest'])
/** What everybody may read; of the others one can't say whether they are set. */
const FOR_ALL = new Set(['consent-text', 'console', 'language', 'registered-tags', 'tag-style', 'user-tag-access'])

function useRows(fields: readonly FieldSchema[], values: Record<string, string>): Row[] {
  const describe = useDescribe()
  return useMemo(
    () =>
      fields
        .filter((field) => !HIDDEN.has(field.name))
        .map((field) => ({
          name: field.name,
          label: labelOf(field.name) ?? field.name,
          value: values[field.name] ?? '',
          standard: field.default === undefined ? '' : String(field.default),
          meaning: describe(field.text),
        })),
    [fields, values, describe],
  )
}

export default function OptionsTab() {
  const query = useApi('GET /cluster/options', {})
  const fields = useOperation('PUT /cluster/options')?.fields
  return <Answer query={query}>{(options) => <Options fields={fields ?? NONE} options={options} />}</Answer>
}

function useColumns(): Column<Row>[] {
  const { t } = useTranslation(['datacenter', 'common'])
  return useMemo(
    () => [
      {
        id: 'label',
        header: t('option.name'),
        value: (row) => row.label,
        width: 180,
        required: true,
        mobile: 'title',
      },
      { id: 'name', header: t('common:name'), value: (row) => row.name, width: 130, optional: true },
      {
        id: 'value',
        header: t('option.value'),
        value: (row) => row.value,
        cell: (row) => (
          <Text size="sm" truncate title={row.value} c={row.value ? undefined : 'dimmed'}>
            {row.value || (row.standard ? t('option.default', { value: row.standard }) : t('option.unset'))}
          </Text>
        ),
        width: 200,
        mobile: 'meta',
      },
      {
        id: 'state',
        header: t('option.state'),
        value: (row) => (row.value ? t('option.set') : t('option.notSet')),
        cell: (row) => (
          <StatusDot status={row.value ? 'OK' : 'stopped'} label={row.value ? t('option.set') : t('option.notSet')} />
        ),
        width: 90,
        filter: 'options',
        mobile: 'side',
      },
      {
        id: 'meaning',
        header: t('option.meaning'),
        value: (row) => row.meaning,
        cell: (row) => (
          <Text size="sm" truncate title={row.meaning}>
            {row.meaning}
          </Text>
        ),
        width: 340,
      },
    ],
    [t],
  )
}

function Options({ fields, options }: { fields: readonly FieldSchema[]; options: Record<string, unknown> }) {
  const { t } = useTranslation(['datacenter', 'common'])
  const values = useMemo(() => texts(options), [options])
  const all = useRows(fields, values)
  const columns = useColumns()
  const mayChange = useAllowed('/', 'Sys.Modify')
  const seesAll = useAllowed('/', 'Sys.Audit')
  const rows = useMemo(() => (seesAll ? all : all.filter((row) => FOR_ALL.has(row.name))), [all, seesAll])
  const edit = useDialog<Row>()
  const reset = useDialog<Row>()
  const refused = mayChange ? undefined : t('option.needsRight')
  const actions = (row: Row): readonly RowAction[] => [
    {
      id: 'edit',
      label: t('common:edit'),
      icon: <IconPencil size={16} />,
      disabled: refused,
      onClick: () => edit.open(row),
    },
    {
      id: 'reset',
      label: t('option.reset'),
      icon: <IconRestore size={16} />,
      disabled: refused ?? (row.value ? undefined : t('option.unset')),
      onClick: () => reset.open(row),
    },
  ]
  return (
    <Stack h="100%" gap="sm">
      {!mayChange && <Alert variant="light">{seesAll ? t('option.needsRight') : t('option.some')}</Alert>}
      <div style={{ flex: 1, minHeight: 0 }}>
        <DataTable
          id="options"
          label={t('option.list')}
          columns={columns}
          rows={rows}
          rowKey={(row) => row.name}
          rowName={(row) => row.label}
          onOpen={(row) => mayChange && edit.open(row)}
          actions={actions}
          empty={{ title: t('option.emptyTitle') }}
        />
      </div>
      {edit.value && (
        <OperationDialog
          opened={edit.opened}
          onClose={edit.close}
          title={t('option.editTitle', { name: edit.value.label })}
          operation="PUT /cluster/options"
          only={[edit.value.name]}
          values={values}
          submit={t('common:save')}
        />
      )}
      {reset.value && <ResetDialog row={reset.value} opened={reset.opened} onClose={reset.close} />}
    </Stack>
  )
}

function ResetDialog({ row, opened, onClose }: { row: Row; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation(['datacenter', 'common'])
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('option.resetTitle', { name: row.label })}
      operation="PUT /cluster/options"
      params={() => ({ delete: row.name })}
      submit={t('option.reset')}
      size="md"
    >
      <Text>{t('option.resetText')}</Text>
    </ChangeDialog>
  )
}
