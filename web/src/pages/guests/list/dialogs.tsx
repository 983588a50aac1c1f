import { Checkbox, Select, Stack, TagsInput, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useGuests, useInventory } from '@/live/inventory'
import type { Guest } from '@/live/types'
import { BulkDialog } from '@/ui/Bulk/BulkDialog'
import { deleteJobs, type Power, poolJobs, powerJobs, tagJobs } from './jobs'

export interface Ask {
  kind: 'power' | 'tags' | 'pool' | 'delete'
  power?: Power
  guests: readonly Guest[]
}

interface DialogProps {
  guests: readonly Guest[]
  opened: boolean
  onClose: () => void
}

/** The dialog for what was asked. */
export function GuestDialog({ ask, opened, onClose }: { ask: Ask; opened: boolean; onClose: () => void }) {
  const common = { guests: ask.guests, opened, onClose }
  if (ask.kind === 'power' && ask.power) return <PowerDialog power={ask.power} {...common} />
  if (ask.kind === 'tags') return <TagsDialog {...common} />
  if (ask.kind === 'pool') return <PoolDialog {...common} />
  return <DeleteDialog {...common} />
}

function PowerDialog({ power, guests, ...frame }: DialogProps & { power: Power }) {
  const { t } = useTranslation('lists')
  const cuts = power === 'stop' || power === 'reset'
  const jobs = powerJobs(power, guests)
  return (
    <BulkDialog
      {...frame}
      title={t('doMany', { what: t(`do.${power}`), count: jobs.length })}
      submit={t(`do.${power}`)}
      danger={cuts}
      jobs={() => jobs}
    >
      {cuts ? <Text>{t('losesUnsaved')}</Text> : <Text>{t('asksGuest')}</Text>}
    </BulkDialog>
  )
}

function DeleteDialog({ guests, ...frame }: DialogProps) {
  const { t } = useTranslation('lists')
  const [purge, setPurge] = useState(true)
  const [unreferenced, setUnreferenced] = useState(false)
  const running = guests.filter(({ status }) => status === 'running').length
  const stopped = guests.filter(({ status }) => status !== 'running')
  return (
    <BulkDialog
      {...frame}
      title={t('deleteGuests', { count: guests.length })}
      submit={t('delete')}
      danger
      jobs={() => deleteJobs(stopped, purge, unreferenced)}
      incomplete={stopped.length === 0 ? t('stopFirst', { count: running }) : undefined}
    >
      <Stack gap="sm">
        <Text>{t('deleteText')}</Text>
        {running > 0 && <Text c="var(--corral-warn)">{t('stopFirst', { count: running })}</Text>}
        <Checkbox checked={purge} onChange={(event) => setPurge(event.currentTarget.checked)} label={t('purge')} />
        <Checkbox
          checked={unreferenced}
          onChange={(event) => setUnreferenced(event.currentTarget.checked)}
          label={t('destroyUnreferenced')}
        />
      </Stack>
    </BulkDialog>
  )
}

function TagsDialog({ guests, ...frame }: DialogProps) {
  const { t } = useTranslation('lists')
  const all = useGuests()
  const known = useMemo(() => [...new Set(all.flatMap(({ tags }) => tags))].sort(), [all])
  const theirs = useMemo(() => [...new Set(guests.flatMap(({ tags }) => tags))].sort(), [guests])
  const [add, setAdd] = useState<string[]>([])
  const [remove, setRemove] = useState<string[]>([])
  const jobs = tagJobs(guests, add, remove)
  const cleaned = (tags: string[]) => [...new Set(tags.map((tag) => tag.trim().toLowerCase()).filter(Boolean))]
  return (
    <BulkDialog
      {...frame}
      title={t('editTags')}
      submit={t('apply')}
      jobs={() => jobs}
      incomplete={jobs.length === 0 ? t('nothingToDo') : undefined}
    >
      <TagsInput
        label={t('addTags')}
        data={known}
        value={add}
        onChange={(tags) => setAdd(cleaned(tags))}
        splitChars={[',', ';', ' ']}
        acceptValueOnBlur
        data-autofocus
      />
      <TagsInput
        label={t('removeTags')}
        data={theirs}
        value={remove}
        onChange={(tags) => setRemove(cleaned(tags).filter((tag) => theirs.includes(tag)))}
        acceptValueOnBlur
      />
    </BulkDialog>
  )
}

const NO_POOL = ''

function PoolDialog({ guests, ...frame }: DialogProps) {
  const { t } = useTranslation('lists')
  const { pools } = useInventory()
  const [pool, setPool] = useState<string | null>(null)
  const jobs = pool === null ? [] : poolJobs(guests, pool === NO_POOL ? null : pool)
  return (
    <BulkDialog
      {...frame}
      title={t('moveToPool')}
      submit={t('move')}
      jobs={() => jobs}
      incomplete={jobs.length === 0 ? t('nothingToDo') : undefined}
    >
      <Select
        label={t('pool')}
        data={[{ value: NO_POOL, label: t('noPool') }, ...[...pools.keys()].map((value) => ({ value, label: value }))]}
        value={pool}
        onChange={setPool}
        searchable
        data-autofocus
      />
    </BulkDialog>
  )
}
