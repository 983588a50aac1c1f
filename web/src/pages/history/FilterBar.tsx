import { Autocomplete, Button, CloseButton, Collapse, TextInput } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconFilter } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useGuests } from '@/live/inventory'
import { usePlace } from '@/pages/history/data'
import type { Place, Row } from '@/pages/history/timeline'
import classes from './history.module.css'

type Name = 'user' | 'vmid' | 'path' | 'from' | 'to'
const NAMES: readonly Name[] = ['user', 'vmid', 'path', 'from', 'to']

/** Filters; they stand in the URL. `fixed`: it is the history of one thing. */
export function FilterBar({ fixed, rows }: { fixed: boolean; rows: readonly Row[] }) {
  const { t } = useTranslation('history')
  const [place, go] = usePlace()
  const phone = useMediaQuery('(max-width: 48em)') === true
  const [opened, setOpened] = useState(false)
  const names = fixed ? NAMES.filter((name) => name !== 'vmid' && name !== 'path') : NAMES
  const active = names.filter((name) => place[name] !== undefined).length
  const clear = () => go(Object.fromEntries(NAMES.map((name) => [name, undefined])) as Partial<Place>)
  const fields = (
    <search className={classes.filters} aria-label={t('filter.title')}>
      <UserFilter rows={rows} />
      {!fixed && <GuestFilter />}
      {!fixed && <PathFilter rows={rows} />}
      <DayFilter name="from" label={t('filter.from')} />
      <DayFilter name="to" label={t('filter.to')} />
      {active > 0 && (
        <Button variant="subtle" size="xs" onClick={clear}>
          {t('filter.clear')}
        </Button>
      )}
    </search>
  )
  if (!phone) return fields
  return (
    <div>
      <Button
        variant="default"
        size="xs"
        m="xs"
        leftSection={<IconFilter size={16} aria-hidden />}
        aria-expanded={opened}
        onClick={() => setOpened(!opened)}
      >
        {active > 0 ? t('filter.active', { count: active }) : t('filter.title')}
      </Button>
      <Collapse expanded={opened}>{fields}</Collapse>
    </div>
  )
}

/** A text that becomes the filter when it is finished: chosen, Enter, or left. */
function Word({
  name,
  label,
  data,
  numeric = false,
}: {
  name: 'user' | 'vmid' | 'path'
  label: string
  data: { value: string; label: string }[] | string[]
  numeric?: boolean
}) {
  const { t } = useTranslation('history')
  const [place, go] = usePlace()
  const set = String(place[name] ?? '')
  const [typed, setTyped] = useState<string | null>(null)
  function finish(value: string): void {
    setTyped(null)
    const text = value.trim()
    if (text === set) return
    const number = Number.parseInt(text, 10)
    go({ [name]: text === '' || (numeric && Number.isNaN(number)) ? undefined : numeric ? number : text })
  }
  return (
    <Autocomplete
      size="xs"
      aria-label={label}
      placeholder={label}
      className={classes.filter}
      data={data}
      value={typed ?? set}
      onChange={setTyped}
      onOptionSubmit={finish}
      onBlur={() => typed !== null && finish(typed)}
      onKeyDown={(event) => event.key === 'Enter' && typed !== null && finish(typed)}
      inputMode={numeric ? 'numeric' : undefined}
      limit={20}
      rightSection={
        set && (
          <CloseButton
            size="xs"
            aria-label={t('filter.remove', { name: label })}
            onClick={() => {
              setTyped(null)
              go({ [name]: undefined })
            }}
          />
        )
      }
    />
  )
}

function UserFilter({ rows }: { rows: readonly Row[] }) {
  const { t } = useTranslation('history')
  const users = useMemo(() => [...new Set(rows.map((row) => row.user))].sort(), [rows])
  return <Word name="user" label={t('filter.user')} data={users} />
}

function GuestFilter() {
  const { t } = useTranslation('history')
  const guests = useGuests()
  const data = useMemo(() => guests.map((guest) => String(guest.vmid)), [guests])
  return <Word name="vmid" label={t('filter.guest')} data={data} numeric />
}

function PathFilter({ rows }: { rows: readonly Row[] }) {
  const { t } = useTranslation('history')
  const paths = useMemo(
    () => [...new Set(rows.flatMap((row) => row.records.map((record) => record.path)))].sort(),
    [rows],
  )
  return <Word name="path" label={t('filter.path')} data={paths} />
}

function DayFilter({ name, label }: { name: 'from' | 'to'; label: string }) {
  const [place, go] = usePlace()
  return (
    <TextInput
      size="xs"
      type="date"
      label={label}
      classNames={{ root: classes.date, label: classes.dateLabel }}
      value={place[name] ?? ''}
      onChange={(event) => go({ [name]: event.currentTarget.value || undefined })}
    />
  )
}
