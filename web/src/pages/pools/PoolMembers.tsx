import { Alert, Button, List, MultiSelect, Select, Stack, Text } from '@mantine/core'
import { IconArrowRight, IconExternalLink, IconFolderMinus, IconPlus } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useGuests, useInventory, useStorages } from '@/live/inventory'
import { listsOf, type Member, membersOf } from '@/pages/pools/members'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { type Column, DataTable, type RowAction } from '@/ui/DataTable'
import { Section } from '@/ui/Section'
import { StatusDot } from '@/ui/StatusDot'
import { useDialog } from '@/ui/useDialog'

const STATES = ['running', 'stopped', 'paused', 'unknown'] as const

function useColumns(): Column<Member>[] {
  const { t } = useTranslation(['access', 'common'])
  return useMemo(() => {
    const kind = (value: string) => (value === 'guest' ? t('acl.object.guest') : t('acl.object.aStorage'))
    const say = (status: string) => {
      const word = STATES.find((each) => each === status)
      return word ? t(`common:${word}`) : status
    }
    return [
      { id: 'name', header: t('pool.member'), value: (row) => row.name, width: 200, required: true, mobile: 'title' },
      {
        id: 'id',
        header: 'ID',
        value: (row) => (row.kind === 'guest' ? Number(row.id) : null),
        width: 80,
        mobile: 'meta',
      },
      {
        id: 'kind',
        header: t('common:type'),
        value: (row) => row.kind,
        label: kind,
        cell: (row) => kind(row.kind),
        width: 100,
        filter: 'options',
        mobile: 'meta',
      },
      { id: 'node', header: t('common:node'), value: (row) => row.node, width: 120, filter: 'options', mobile: 'meta' },
      {
        id: 'status',
        header: t('common:status'),
        value: (row) => row.status,
        label: say,
        cell: (row) => <StatusDot status={row.status} label={say(row.status)} />,
        width: 120,
        filter: 'options',
        mobile: 'side',
      },
    ]
  }, [t])
}

/** The guests and storages of a pool, to add and to take out. */
export function PoolMembers({ pool, may, storages }: { pool: string; may: boolean; storages: readonly string[] }) {
  const { t } = useTranslation(['access', 'common'])
  const guests = useGuests()
  const places = useStorages()
  const rows = useMemo(() => membersOf(pool, guests, storages, places), [pool, guests, storages, places])
  const columns = useColumns()
  const addGuests = useDialog<true>()
  const addStorages = useDialog<true>()
  const out = useDialog<readonly Member[]>()
  const move = useDialog<readonly Member[]>()
  const actions = useActions(may, out.open, move.open)
  const buttons = may && (
    <>
      <Button size="xs" leftSection={<IconPlus size={14} />} onClick={() => addGuests.open(true)}>
        {t('pool.addGuests')}
      </Button>
      <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={() => addStorages.open(true)}>
        {t('pool.addStorages')}
      </Button>
    </>
  )
  const bulk = [
    { id: 'out', label: t('pool.takeOut'), primary: true, onClick: out.open },
    { id: 'move', label: t('pool.moveTo'), primary: true, onClick: move.open },
  ]
  return (
    <Section title={t('pool.members')} actions={buttons}>
      <DataTable
        id="pool-members"
        label={t('pool.members')}
        columns={columns}
        rows={rows}
        rowKey={(row) => row.key}
        rowName={(row) => row.name}
        actions={actions}
        bulk={may ? bulk : undefined}
        empty={{ title: t('pool.emptyTitle'), description: may ? t('pool.emptyText') : undefined }}
        maxHeight={520}
      />
      {addGuests.value && (
        <AddGuests key={`g${addGuests.key}`} pool={pool} opened={addGuests.opened} onClose={addGuests.close} />
      )}
      {addStorages.value && (
        <AddStorages
          key={`s${addStorages.key}`}
          pool={pool}
          present={storages}
          opened={addStorages.opened}
          onClose={addStorages.close}
        />
      )}
      {out.value && <TakeOut pool={pool} members={out.value} opened={out.opened} onClose={out.close} />}
      {move.value && (
        <Move key={`m${move.key}`} pool={pool} members={move.value} opened={move.opened} onClose={move.close} />
      )}
    </Section>
  )
}

type Doing = (members: readonly Member[]) => void

function useActions(may: boolean, out: Doing, move: Doing): (row: Member) => readonly RowAction[] {
  const { t } = useTranslation(['access', 'common'])
  const navigate = useNavigate()
  const refused = may ? undefined : t('noRight', { privilege: 'Pool.Allocate' })
  return (row) => [
    {
      id: 'open',
      label: row.name,
      icon: <IconExternalLink size={16} />,
      disabled: row.node === '' ? t('common:unknown') : undefined,
      onClick: () =>
        void (row.kind === 'guest'
          ? navigate({ to: '/guests/$vmid', params: { vmid: row.id } })
          : navigate({
              to: '/storage/$node/$storage',
              params: { node: row.node.split(', ')[0] ?? '', storage: row.id },
            })),
    },
    {
      id: 'move',
      label: t('pool.moveTo'),
      icon: <IconArrowRight size={16} />,
      disabled: refused ?? (row.kind === 'storage' ? t('acl.object.aStorage') : undefined),
      onClick: () => move([row]),
    },
    {
      id: 'out',
      label: t('pool.takeOut'),
      icon: <IconFolderMinus size={16} />,
      divider: true,
      disabled: refused,
      onClick: () => out([row]),
    },
  ]
}

interface Dialog {
  pool: string
  opened: boolean
  onClose: () => void
}

/** So many are offered at once; typing finds the others. */
const OFFERED = 50

function AddGuests({ pool, opened, onClose }: Dialog) {
  const { t } = useTranslation(['access', 'common'])
  const guests = useGuests()
  const [chosen, setChosen] = useState<string[]>([])
  const [errors, setErrors] = useState<Record<string, string>>({})
  const offered = useMemo(
    () =>
      guests
        .filter((guest) => guest.pool !== pool)
        .map(({ vmid, name, pool: now }) => ({
          value: String(vmid),
          label: `${vmid} ${name}${now ? ` (${now})` : ''}`,
        })),
    [guests, pool],
  )
  const moving = guests.filter((guest) => chosen.includes(String(guest.vmid)) && guest.pool !== undefined).length
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('pool.addTitle', { pool })}
      operation="PUT /pools"
      params={() => ({ poolid: pool, vms: chosen, ...(moving > 0 && { 'allow-move': true }) })}
      submit={t('common:add')}
      onErrors={setErrors}
    >
      <Stack>
        <MultiSelect
          label={t('pool.guests')}
          description={t('pool.guestsHelp')}
          data={offered}
          value={chosen}
          onChange={setChosen}
          error={errors.vms}
          limit={OFFERED}
          searchable
          required
        />
        {moving > 0 && <Alert color="yellow">{t('pool.moves', { count: moving })}</Alert>}
      </Stack>
    </ChangeDialog>
  )
}

function AddStorages({ pool, present, opened, onClose }: Dialog & { present: readonly string[] }) {
  const { t } = useTranslation(['access', 'common'])
  const [chosen, setChosen] = useState<string[]>([])
  const [errors, setErrors] = useState<Record<string, string>>({})
  const names = [...new Set(useStorages().map((each) => each.storage))].filter((each) => !present.includes(each))
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('pool.addTitle', { pool })}
      operation="PUT /pools"
      params={() => ({ poolid: pool, storage: chosen })}
      submit={t('common:add')}
      onErrors={setErrors}
    >
      <MultiSelect
        label={t('pool.storages')}
        description={t('pool.storagesHelp')}
        data={names}
        value={chosen}
        onChange={setChosen}
        error={errors.storage}
        searchable
        required
      />
    </ChangeDialog>
  )
}

function Names({ members }: { members: readonly Member[] }) {
  return (
    <List size="sm">
      {members.slice(0, OFFERED).map((member) => (
        <List.Item key={member.key}>{member.kind === 'guest' ? `${member.id} ${member.name}` : member.name}</List.Item>
      ))}
      {members.length > OFFERED && <List.Item>… {members.length - OFFERED}</List.Item>}
    </List>
  )
}

function TakeOut({ pool, members, opened, onClose }: Dialog & { members: readonly Member[] }) {
  const { t } = useTranslation(['access', 'common'])
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('pool.takeOutTitle', { pool })}
      operation="PUT /pools"
      params={() => ({ poolid: pool, ...listsOf(members), delete: true })}
      submit={t('pool.takeOut')}
      danger
      size="md"
    >
      <Stack>
        <Text>{t('pool.takeOutText')}</Text>
        <Names members={members} />
      </Stack>
    </ChangeDialog>
  )
}

/** Guests are in one pool at most: adding them to another one moves them. */
function Move({ pool, members, opened, onClose }: Dialog & { members: readonly Member[] }) {
  const { t } = useTranslation(['access', 'common'])
  const { pools } = useInventory()
  const [target, setTarget] = useState<string | null>(null)
  const [errors, setErrors] = useState<Record<string, string>>({})
  const guests = members.filter((member) => member.kind === 'guest')
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('pool.moveTitle')}
      operation="PUT /pools"
      params={() => ({ poolid: target ?? '', ...listsOf(guests), 'allow-move': true })}
      submit={t('pool.moveTo')}
      onErrors={setErrors}
      size="md"
    >
      <Stack>
        <Select
          label={t('pool.target')}
          description={t('pool.targetHelp')}
          data={[...pools.keys()].filter((each) => each !== pool).sort()}
          value={target}
          onChange={setTarget}
          error={errors.poolid}
          searchable
          required
        />
        <Names members={guests} />
      </Stack>
    </ChangeDialog>
  )
}
