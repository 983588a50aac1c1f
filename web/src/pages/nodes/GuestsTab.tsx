import { IconServer2 } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useGuests, useInventory } from '@/live/inventory'
import type { Guest } from '@/live/types'
import { useBulkActions, useQuickActions, useRowActions } from '@/pages/guests/list/actions'
import { useGuestColumns } from '@/pages/guests/list/columns'
import { type Ask, GuestDialog } from '@/pages/guests/list/dialogs'
import { nameOf } from '@/pages/guests/list/jobs'
import { DataTable } from '@/ui/DataTable'
import { useDialog } from '@/ui/useDialog'

const keyOf = (guest: Guest): string => String(guest.vmid)
const hrefOf = (guest: Guest): string => `/guests/${guest.vmid}`

/** The guest list, of this node alone. */
export default function GuestsTab({ node }: { node: string }) {
  const { t } = useTranslation('node')
  const { ready } = useInventory()
  const all = useGuests()
  const guests = useMemo(() => all.filter((guest) => guest.node === node), [all, node])
  const columns = useGuestColumns()
  const own = useMemo(() => columns.filter(({ id }) => id !== 'node'), [columns])
  const dialog = useDialog<Ask>()
  return (
    <>
      <DataTable
        id="node-guests"
        label={t('guests.list')}
        columns={own}
        rows={guests}
        rowKey={keyOf}
        rowName={nameOf}
        href={hrefOf}
        loading={!ready}
        actions={useRowActions(dialog.open)}
        quick={useQuickActions(dialog.open)}
        bulk={useBulkActions(dialog.open)}
        defaultSort="vmid"
        empty={{ title: t('guests.emptyTitle'), description: t('guests.emptyText'), icon: <IconServer2 /> }}
      />
      {dialog.value && (
        <GuestDialog key={dialog.key} ask={dialog.value} opened={dialog.opened} onClose={dialog.close} />
      )}
    </>
  )
}
