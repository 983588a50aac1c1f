import { Alert, Button, EmptyState, Loader, NativeSelect, Switch, Text, TextInput } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconFileOff, IconSearch } from '@tabler/icons-react'
import { useLayoutEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { type Filter, found, type Line } from '@/pages/nodes/journal'
import { useJournal } from '@/pages/nodes/useJournal'
import { isForbidden, NoRight } from '@/ui/Answer'
import { explain } from '@/ui/act'
import classes from './LogTab.module.css'

type Level = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7'
const LEVELS: readonly Level[] = ['7', '6', '5', '4', '3', '2', '1', '0']

/** The node's log: the newest lines at the bottom, older and newer ones by request. */
export default function LogTab({ node }: { node: string }) {
  const { t } = useTranslation(['node', 'common'])
  const [filter, setFilter] = useState<Filter>({ unit: '', priority: 7, since: '', until: '' })
  const [search, setSearch] = useState('')
  const [wrap, setWrap] = useState(true)
  const [told, setTold] = useState('')
  const journal = useJournal(node, filter)
  const shown = found(journal.lines, search)
  if (isForbidden(journal.error)) return <NoRight needs={`Sys.Syslog (/nodes/${node})`} />
  const newer = async () => {
    const came = await journal.extend('newer')
    setTold(came === 0 ? t('log.upToDate') : t('log.shown', { count: came }))
  }
  return (
    <div className={classes.root}>
      <Filters node={node} filter={filter} onFilter={setFilter} search={search} onSearch={setSearch} />
      {journal.error !== null && (
        <Alert color="red" m="sm" title={t('common:failed')}>
          {explain(journal.error)}{' '}
          <Button size="compact-sm" variant="default" onClick={journal.retry}>
            {t('common:retry')}
          </Button>
        </Alert>
      )}
      <Lines node={node} lines={shown} wrap={wrap} loading={journal.loading} />
      <div className={classes.foot}>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconArrowUp size={14} />}
          disabled={!journal.more || journal.loading}
          onClick={() => void journal.extend('older')}
        >
          {t('log.older')}
        </Button>
        <Button
          size="xs"
          leftSection={<IconArrowDown size={14} />}
          loading={journal.loading}
          onClick={() => void newer()}
        >
          {t('log.newer')}
        </Button>
        <Text size="sm" role="status" className="numeric">
          {search.trim()
            ? t('log.shownOf', { shown: shown.length, total: journal.lines.length })
            : t('log.shown', { count: shown.length })}
          {told && ` · ${told}`}
        </Text>
        <Switch
          size="xs"
          ml="auto"
          label={t('log.wrap')}
          checked={wrap}
          onChange={(event) => setWrap(event.currentTarget.checked)}
        />
      </div>
    </div>
  )
}

function Filters({
  node,
  filter,
  onFilter,
  search,
  onSearch,
}: {
  node: string
  filter: Filter
  onFilter: (filter: Filter) => void
  search: string
  onSearch: (search: string) => void
}) {
  const { t } = useTranslation('node')
  const units = useApi('GET /nodes/{node}/journal', { node, units: true }).data ?? []
  const when = (word: 'since' | 'until') => (
    <TextInput
      type="datetime-local"
      size="xs"
      label={t(`log.${word}`)}
      value={filter[word]}
      onChange={(event) => onFilter({ ...filter, [word]: event.currentTarget.value })}
    />
  )
  return (
    <div className={classes.bar}>
      <TextInput
        type="search"
        size="xs"
        label={t('log.search')}
        leftSection={<IconSearch size={14} aria-hidden />}
        value={search}
        onChange={(event) => onSearch(event.currentTarget.value)}
      />
      <NativeSelect
        size="xs"
        label={t('log.unit')}
        data={[{ value: '', label: t('log.anyUnit') }, ...units]}
        value={filter.unit}
        onChange={(event) => onFilter({ ...filter, unit: event.currentTarget.value })}
      />
      <NativeSelect
        size="xs"
        label={t('log.priority')}
        data={LEVELS.map((value) => ({ value, label: t(`log.level.${value}`) }))}
        value={String(filter.priority)}
        onChange={(event) => onFilter({ ...filter, priority: Number(event.currentTarget.value) })}
      />
      {when('since')}
      {when('until')}
    </div>
  )
}

const toneOf = (priority: number): 'bad' | 'warn' | undefined =>
  priority <= 3 ? 'bad' : priority === 4 ? 'warn' : undefined

function Lines({
  node,
  lines,
  wrap,
  loading,
}: {
  node: string
  lines: readonly Line[]
  wrap: boolean
  loading: boolean
}) {
  const { t } = useTranslation(['node', 'common'])
  const box = useRef<HTMLElement>(null)
  const newest = lines.at(-1)?.cursor
  // What is new is at the bottom, and seen; older lines that come above don't move what is read.
  useLayoutEffect(() => {
    if (newest !== undefined && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [newest])
  return (
    <section
      ref={box}
      className={`${classes.lines} ${wrap ? classes.wrap : ''}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label={t('log.region', { node })}
    >
      {lines.length === 0 && !loading && (
        <EmptyState icon={<IconFileOff />} title={t('log.emptyTitle')} description={t('log.emptyText')} />
      )}
      {lines.length === 0 && loading && <Loader size="sm" m="md" aria-hidden />}
      {lines.map((line) => (
        <div key={line.cursor} className={classes.line} data-tone={toneOf(line.priority)}>
          {line.priority <= 4 && (
            <span className={classes.level}>{t(`log.level.${String(line.priority) as Level}`)}: </span>
          )}
          {line.text}
        </div>
      ))}
    </section>
  )
}
