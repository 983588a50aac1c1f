import { Button } from '@mantine/core'
import { IconPlus, IconServer2 } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/api/session'
import { useGuests, useInventory } from '@/live/inventory'
import type { Guest } from '@/live/types'
import { useBulkActions, useQuickActions, useRowActions } from '@/pages/guests/list/actions'
import { useGuestColumns } from '@/pages/guests/list/columns'
import { type Ask, GuestDialog } from '@/pages/guests/list/dialogs'
import { nameOf } from '@/pages/guests/list/jobs'
import { DataTable } from '@/ui/DataTable'
import { Page } from '@/ui/Page'
import { useDialog } from '@/ui/useDialog'

const keyOf = (guest: Guest): string => String(guest.vmid)
const hrefOf = (guest: Guest): string => `/guests/${guest.vmid}`

function CreateButton() {
  const { t } = useTranslation('lists')
  return (
    <Button
      component={Link}
      to="."
      search={((now: object) => ({ ...now, create: 'vm' })) as never}
      leftSection={<IconPlus size={16} />}
    >
      {t('createVm')}
    </Button>
  )
}

/** All guests, with what can be done to one or to many. */
export default function GuestList() {
  const { t } = useTranslation('lists')
  const { ready } = useInventory()
  const guests = useGuests()
  const columns = useGuestColumns()
  const dialog = useDialog<Ask>()
  const mayCreate = useMay('vms', 'VM.Allocate')
  return (
    <Page title={t('guests')} actions={mayCreate && guests.length > 0 && <CreateButton />} flush>
      <DataTable
        id="guests"
        label={t('guests')}
        columns={columns}
        rows={guests}
        rowKey={keyOf}
        rowName={nameOf}
        href={hrefOf}
        loading={!ready}
        actions={useRowActions(dialog.open)}
        quick={useQuickActions(dialog.open)}
        bulk={useBulkActions(dialog.open)}
        defaultSort="vmid"
        empty={{
          title: t('noGuests'),
          description: mayCreate ? t('noGuestsHint') : t('noGuestsSeen'),
          icon: <IconServer2 />,
          action: mayCreate && <CreateButton />,
        }}
      />
      {dialog.value && (
        <GuestDialog key={dialog.key} ask={dialog.value} opened={dialog.opened} onClose={dialog.close} />
      )}
    </Page>
  )
}
