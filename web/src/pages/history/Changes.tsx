import { Button, EmptyState, Loader, Text } from '@mantine/core'
import { useIntersection, useMediaQuery } from '@mantine/hooks'
import { IconHistory, IconPlugConnectedX } from '@tabler/icons-react'
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { usePlace, useTimeline } from '@/pages/history/data'
import { FilterBar } from '@/pages/history/FilterBar'
import { RevertDialog, type Reverting } from '@/pages/history/RevertDialog'
import { RevisionView } from '@/pages/history/RevisionView'
import { Row } from '@/pages/history/Row'
import { byDay, type Filters, type Row as RowData } from '@/pages/history/timeline'
import { explain } from '@/ui/act'
import { day as sayDay } from '@/ui/day'
import classes from './history.module.css'

/** The timeline, and the revision that is open: beside it, on a phone below its row. */
export function Changes({ own }: { own: Filters }) {
  const { t } = useTranslation('history')
  const [place, go] = usePlace()
  const narrow = useMediaQuery('(max-width: 62em)') === true
  const { user, vmid, path, from, to } = place
  const ownVmid = own.vmid
  const ownPath = own.path
  const filters = useMemo<Filters>(
    () => ({
      user,
      from,
      to,
      vmid: ownVmid ?? (ownPath ? undefined : vmid),
      path: ownPath ?? (ownVmid ? undefined : path),
    }),
    [user, from, to, vmid, path, ownVmid, ownPath],
  )
  const [top, setTop] = useState(true)
  const timeline = useTimeline(filters, top)
  const [reverting, setReverting] = useState<Reverting | null>(null)
  const open = place.revision
  const toggle = (revision: string) => go({ revision: open === revision && narrow ? undefined : revision })
  const detail = open !== undefined && (
    <RevisionView
      key={open}
      revision={open}
      onRevert={(path) => setReverting({ revision: open, path })}
      onClose={() => go({ revision: undefined })}
    />
  )
  return (
    <div className={classes.changes}>
      <FilterBar fixed={ownVmid !== undefined || ownPath !== undefined} rows={timeline.rows} />
      <div className={classes.split}>
        <section
          aria-label={t('view.changes')}
          className={classes.timeline}
          onScroll={(event) => setTop(event.currentTarget.scrollTop < 24)}
          onKeyDown={(event) => onListKey(event, (revision) => setReverting({ revision }))}
        >
          <div role="status" className={classes.fresh}>
            {timeline.fresh.length > 0 && (
              <Button size="xs" radius="xl" onClick={timeline.showFresh}>
                {t('fresh', { count: timeline.fresh.length })}
              </Button>
            )}
          </div>
          {narrow && open !== undefined && !timeline.rows.some((row) => row.revision === open) && (
            <div className={classes.below}>{detail}</div>
          )}
          <Rows timeline={timeline} open={open} onOpen={toggle} below={narrow ? detail : null} />
        </section>
        {!narrow && (
          <div className={classes.detail}>
            {detail || (
              <Text c="dimmed" p="md" size="sm">
                {t('pick')}
              </Text>
            )}
          </div>
        )}
      </div>
      <RevertDialog reverting={reverting} onClose={() => setReverting(null)} />
    </div>
  )
}

type Shown = { timeline: ReturnType<typeof useTimeline>; open?: string; onOpen: (revision: string) => void }

function Rows({ timeline, open, onOpen, below }: Shown & { below: React.ReactNode }) {
  const { t } = useTranslation(['history', 'common'])
  if (timeline.loading && !timeline.error) return <Loader m="md" size="sm" aria-label={t('common:loading')} />
  if (timeline.error && timeline.rows.length === 0) {
    return (
      <EmptyState
        py="xl"
        icon={<IconPlugConnectedX aria-hidden />}
        title={t('common:failed')}
        description={explain(timeline.error)}
      >
        <Button variant="default" onClick={timeline.retry}>
          {t('common:retry')}
        </Button>
      </EmptyState>
    )
  }
  if (timeline.rows.length === 0) {
    return <EmptyState py="xl" icon={<IconHistory aria-hidden />} title={t('empty')} description={t('emptyText')} />
  }
  return (
    <>
      {byDay(timeline.rows).map(({ day, rows }) => (
        <section key={day} aria-label={sayDay(day)}>
          <h2 className={classes.day}>{sayDay(day)}</h2>
          <ol className={classes.rows}>
            {rows.map((row: RowData) => (
              <li key={row.revision}>
                <Row row={row} opened={row.revision === open} onOpen={onOpen} />
                {row.revision === open && below && <div className={classes.below}>{below}</div>}
              </li>
            ))}
          </ol>
        </section>
      ))}
      <More timeline={timeline} />
    </>
  )
}

/** The end of what is loaded: once seen, more is loaded. */
function More({ timeline }: { timeline: ReturnType<typeof useTimeline> }) {
  const { t } = useTranslation('history')
  const { ref, entry } = useIntersection<HTMLDivElement>({ rootMargin: '400px' })
  const seen = entry?.isIntersecting === true
  const { hasMore, loadingMore } = timeline
  const more = useRef(timeline.more)
  more.current = timeline.more
  useEffect(() => {
    if (seen && hasMore && !loadingMore) more.current()
  }, [seen, hasMore, loadingMore])
  return (
    <div ref={ref} className={classes.more}>
      {hasMore ? (
        <Button variant="subtle" size="xs" onClick={timeline.more} loading={loadingMore}>
          {t('older')}
        </Button>
      ) : (
        <Text size="xs" c="dimmed">
          {t('begin')}
        </Text>
      )}
    </div>
  )
}

/** j, k and the arrows move between rows; r reverts the one that has the focus. */
function onListKey(event: KeyboardEvent<HTMLElement>, revert: (revision: string) => void): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const on = event.target as HTMLElement
  if (on.matches('input, textarea, select')) return
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-revision]')]
  const row = on.closest<HTMLElement>('[data-revision]')
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key]
  if (step !== undefined && row) {
    event.preventDefault()
    rows[rows.indexOf(row) + step]?.focus()
  } else if (event.key === 'r' && row?.dataset.revision) {
    event.preventDefault()
    revert(row.dataset.revision)
  }
}
