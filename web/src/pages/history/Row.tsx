import { Text, UnstyledButton, VisuallyHidden } from '@mantine/core'
import { useIntersection } from '@mantine/hooks'
import { useTranslation } from 'react-i18next'
import { inventory } from '@/live/inventory'
import { useSelected } from '@/live/store'
import { useRevision } from '@/pages/history/data'
import { Reason } from '@/pages/history/Reason'
import { changedIn, initials, type Row as RowData, sayChanges } from '@/pages/history/timeline'
import { recordName, vmidOf } from '@/plan/files'
import { clock } from '@/ui/day'
import { ago, moment } from '@/ui/format'
import classes from './history.module.css'

/** One revision: who, what, when. What exactly is read when the row is seen. */
export function Row({ row, opened, onOpen }: { row: RowData; opened: boolean; onOpen: (revision: string) => void }) {
  const { t } = useTranslation('history')
  const { ref, entry } = useIntersection<HTMLButtonElement>()
  const details = useRevision(row.revision, entry?.isIntersecting === true).data
  const said = details ? sayChanges(changedIn(details)) : undefined
  return (
    <UnstyledButton
      ref={ref}
      className={classes.row}
      data-revision={row.revision}
      data-opened={opened || undefined}
      aria-expanded={opened}
      onClick={() => onOpen(row.revision)}
    >
      <span className={classes.avatar} aria-hidden>
        {initials(row.user)}
      </span>
      <span className={classes.what}>
        <span className={classes.head}>
          <span className={classes.title}>
            <Titles row={row} />
          </span>
          <time
            dateTime={new Date(row.time * 1000).toISOString()}
            title={`${moment(row.time)} (${ago(row.time)})`}
            className={classes.time}
          >
            {clock(row.time)}
          </time>
        </span>
        <span className={classes.said}>
          {said && said.texts.length > 0 ? (
            <>
              {said.texts.map((text) => (
                <span key={text} className={classes.chip}>
                  {text}
                </span>
              ))}
              {said.more > 0 && <span>{t('more', { count: said.more })}</span>}
            </>
          ) : (
            <Counts row={row} />
          )}
        </span>
        <Text span size="xs" c="dimmed" className={classes.why}>
          <VisuallyHidden>{t('by')} </VisuallyHidden>
          {row.user} · <Reason why={row.why} plain />
        </Text>
      </span>
    </UnstyledButton>
  )
}

/** What was changed: one or two names, and how many more. */
export function Titles({ row }: { row: Pick<RowData, 'records' | 'count'> }) {
  const { t } = useTranslation('history')
  const guests = useSelected(inventory, (all) => all.guests)
  const names = [...new Set(row.records.map(({ key }) => recordName(key, guests.get(vmidOf(key) ?? 0)?.name ?? '')))]
  const action = row.records[0]?.action ?? 'change'
  const what = names.slice(0, 2).join(', ') + (row.count > 2 ? ` ${t('more', { count: row.count - 2 })}` : '')
  return <>{t(`did.${action}`, { what })}</>
}

function Counts({ row }: { row: RowData }) {
  const { t } = useTranslation('history')
  const shown = row.records.filter((record) => record.added !== undefined)
  if (shown.length === 0) return <span>{t('hidden')}</span>
  const sum = (name: 'added' | 'removed') => shown.reduce((total, record) => total + (record[name] ?? 0), 0)
  return <span className="numeric">{t('lines', { added: sum('added'), removed: sum('removed') })}</span>
}
