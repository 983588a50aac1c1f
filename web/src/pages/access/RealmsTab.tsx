import { Alert, Stack, Switch, TextInput } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import type { Realm } from '@/pages/access/data'
import { useMayOn } from '@/pages/access/rights'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { type Column, DataTable } from '@/ui/DataTable'
import { useDialog } from '@/ui/useDialog'

const NONE: readonly Realm[] = []

export default function RealmsTab() {
  const { t } = useTranslation(['access', 'common'])
  const realms = useApi('GET /access/domains', {})
  const edit = useDialog<Realm>()
  const allowed = useMayOn()('/access/realm', 'Realm.Allocate')
  const columns = useMemo<Column<Realm>[]>(
    () => [
      { id: 'realm', header: t('realm.id'), value: (row) => row.realm, width: 120, required: true, mobile: 'title' },
      {
        id: 'type',
        header: t('realm.type'),
        value: (row) => row.type,
        cell: (row) =>
          row.type === 'pam' || row.type === 'pve' ? `${row.type}: ${t(`realm.types.${row.type}`)}` : row.type,
        width: 240,
        mobile: 'meta',
      },
      { id: 'comment', header: t('realm.comment'), value: (row) => row.comment, width: 260 },
      {
        id: 'default',
        header: t('realm.standard'),
        value: (row) => (row.default === 1 ? t('common:yes') : ''),
        width: 120,
        mobile: 'side',
      },
    ],
    [t],
  )
  return (
    <Stack>
      <Alert variant="light">
        {t('realm.help')} {t('realm.later')}
      </Alert>
      <DataTable
        id="realms"
        label={t('realm.list')}
        columns={columns}
        rows={realms.data ?? NONE}
        rowKey={(row) => row.realm}
        rowName={(row) => row.realm}
        loading={realms.isPending}
        error={realms.error}
        onRetry={() => void realms.refetch()}
        actions={(row) => [
          {
            id: 'edit',
            label: t('common:edit'),
            icon: <IconPencil size={16} />,
            disabled: allowed ? undefined : t('noRight', { privilege: 'Realm.Allocate' }),
            onClick: () => edit.open(row),
          },
        ]}
        empty={{ title: t('realm.emptyTitle') }}
        maxHeight={400}
        plain
      />
      {edit.value && <RealmDialog key={edit.key} realm={edit.value} opened={edit.opened} onClose={edit.close} />}
    </Stack>
  )
}

function RealmDialog({ realm, opened, onClose }: { realm: Realm; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation(['access', 'common'])
  const [comment, setComment] = useState(realm.comment ?? '')
  const [standard, setStandard] = useState(realm.default === 1)
  const [errors, setErrors] = useState<Record<string, string>>({})
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('realm.editTitle', { realm: realm.realm })}
      operation="PUT /access/domains/{realm}"
      params={() => ({ realm: realm.realm, comment, default: standard })}
      submit={t('common:save')}
      onErrors={setErrors}
      size="md"
    >
      <Stack>
        <TextInput
          label={t('realm.field.comment')}
          description={t('realm.field.commentHelp')}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
          error={errors.comment}
        />
        <Switch
          label={t('realm.field.default')}
          description={t('realm.field.defaultHelp')}
          checked={standard}
          onChange={(event) => setStandard(event.currentTarget.checked)}
        />
      </Stack>
    </ChangeDialog>
  )
}
