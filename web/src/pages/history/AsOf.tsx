/** How things stood: pick a moment or a revision, look at the files as they were, compare them with now. */
import { Badge, Button, Group, SegmentedControl, Stack, Text, TextInput, Title } from '@mantine/core'
import { IconArrowLeft } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError, call, type Result } from '@/api/client'
import { useApi } from '@/api/query'
import { usePlace } from '@/pages/history/data'
import { FileTree } from '@/pages/history/FileTree'
import { useFileTitle } from '@/plan/files'
import { OptionsTable } from '@/plan/OptionsTable'
import { differences, readerOf } from '@/plan/options'
import { Answer } from '@/ui/Answer'
import { DiffView } from '@/ui/DiffView'
import { compare, linesOf } from '@/ui/diff'
import classes from './history.module.css'

type Then = Result<'GET /cluster/history/at'>
type Moment = { revision: string } | { time: number }

/** Later than anything: the present. */
const NOW = 2 ** 40 - 1

export function AsOf({ own }: { own?: string }) {
  const { t } = useTranslation('history')
  const [place, go] = usePlace()
  const moment = useMemo(() => momentOf(place.at, place.when), [place.at, place.when])
  const file = own ?? place.file
  return (
    <div className={classes.changes}>
      <Group gap="sm" px="md" py="xs" align="flex-end">
        <TextInput
          size="xs"
          type="datetime-local"
          label={t('then.when')}
          value={place.when ?? ''}
          onChange={(event) => go({ when: event.currentTarget.value || undefined, at: undefined })}
        />
        {place.at && (
          <Badge variant="outline" color="gray" tt="none" size="lg" className={classes.badge}>
            {t('revision', { revision: place.at })}
          </Badge>
        )}
        {(place.at || place.when) && (
          <Button size="xs" variant="subtle" onClick={() => go({ at: undefined, when: undefined })}>
            {t('then.now')}
          </Button>
        )}
      </Group>
      {own ? (
        <div className={classes.detail}>
          <FileThen path={own} moment={moment} />
        </div>
      ) : (
        <Browse moment={moment} file={file} onPick={(path) => go({ file: path })} />
      )}
    </div>
  )
}

function momentOf(at: string | undefined, when: string | undefined): Moment {
  if (at) return { revision: at }
  const seconds = when ? Math.floor(new Date(when).getTime() / 1000) : Number.NaN
  return { time: Number.isFinite(seconds) && seconds >= 0 ? seconds : NOW }
}

const isNow = (moment: Moment): boolean => 'time' in moment && moment.time === NOW

/** The past doesn't change; the present does, and its answer is kept fresh by events. */
function useThen(moment: Moment, path?: string) {
  const past = useQuery<Then, Error>({
    queryKey: ['then', moment, path],
    queryFn: ({ signal }) => call('GET /cluster/history/at', { ...moment, path }, { signal }),
    enabled: !isNow(moment),
  })
  const present = useApi('GET /cluster/history/at', { time: NOW, path }, { enabled: isNow(moment), retry: false })
  return isNow(moment) ? present : past
}

function Browse({ moment, file, onPick }: { moment: Moment; file?: string; onPick: (path?: string) => void }) {
  const { t } = useTranslation('history')
  const then = useThen(moment)
  const now = useApi('GET /cluster/history/at', { time: NOW })
  return (
    <div className={classes.split} data-picked={file !== undefined || undefined}>
      <div className={classes.tree}>
        <Answer query={then}>
          {({ files, revision }) => (
            <>
              <Text size="xs" c="dimmed" px="xs" pb="xs" className="numeric">
                {t('then.files', { count: files.length, revision })}
              </Text>
              <FileTree files={files} present={now.data?.files} picked={file} onPick={onPick} />
            </>
          )}
        </Answer>
      </div>
      <div className={classes.detail}>
        {file === undefined ? (
          <Text c="dimmed" size="sm">
            {t('then.pick')}
          </Text>
        ) : (
          <>
            <Button
              hiddenFrom="md"
              size="xs"
              variant="subtle"
              mb="xs"
              leftSection={<IconArrowLeft size={16} aria-hidden />}
              onClick={() => onPick(undefined)}
            >
              {t('then.all')}
            </Button>
            <FileThen key={file} path={file} moment={moment} />
          </>
        )}
      </div>
    </div>
  )
}

type Way = 'text' | 'compare'

/** A file as it was, and how it differs from the present one. */
function FileThen({ path, moment }: { path: string; moment: Moment }) {
  const { t } = useTranslation('history')
  const [, go] = usePlace()
  const [way, setWay] = useState<Way>(isNow(moment) ? 'text' : 'compare')
  const then = useThen(moment, path)
  const shown = then.data?.files[0]
  const { title, path: place } = useFileTitle(shown?.key ?? path, { path: shown?.path ?? path })
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="xs" align="flex-start">
        <div>
          <Title order={2} className={classes.revisionTitle}>
            {title}
          </Title>
          {place !== title && (
            <Text size="xs" c="dimmed" className="mono" style={{ overflowWrap: 'anywhere' }}>
              {place}
            </Text>
          )}
        </div>
        <Group gap="xs">
          <Button size="compact-xs" variant="default" onClick={() => go({ view: 'blame', file: path })}>
            {t('view.blame')}
          </Button>
          {!isNow(moment) && (
            <SegmentedControl
              size="xs"
              aria-label={t('then.shownAs')}
              value={way}
              onChange={(value) => setWay(value as Way)}
              data={[
                { value: 'compare', label: t('then.compare') },
                { value: 'text', label: t('then.text') },
              ]}
            />
          )}
        </Group>
      </Group>
      <Answer query={absentAsNothing(then)}>
        {(data) =>
          data.files.length > 0 && data.text === undefined ? (
            <Text c="dimmed">{t('masked')}</Text>
          ) : way === 'text' || isNow(moment) ? (
            <Whole text={data.files.length > 0 ? (data.text ?? '') : null} />
          ) : (
            <Compared path={data.files[0]?.key ?? path} title={title} then={data.text ?? ''} />
          )
        }
      </Answer>
    </Stack>
  )
}

/** A file that was not there has no text. */
function absentAsNothing(query: ReturnType<typeof useThen>): ReturnType<typeof useThen> {
  if (query.error instanceof ApiError && query.error.message.startsWith('there was no')) {
    return { ...query, data: { revision: '', files: [] }, error: null } as unknown as ReturnType<typeof useThen>
  }
  return query
}

function Whole({ text }: { text: string | null }) {
  const { t } = useTranslation('history')
  if (text === null) return <Text c="dimmed">{t('then.absent')}</Text>
  if (text === '') return <Text c="dimmed">{t('then.blank')}</Text>
  return (
    <ol className={classes.text}>
      {linesOf(text).map((line, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
        <li key={place}>{line}</li>
      ))}
    </ol>
  )
}

function Compared({ path, title, then }: { path: string; title: string; then: string }) {
  const { t } = useTranslation(['history', 'plan'])
  const now = absentAsNothing(useApi('GET /cluster/history/at', { time: NOW, path }, { retry: false }))
  return (
    <Answer query={now}>
      {({ text, files }) => {
        const present = text ?? ''
        const key = files[0]?.key ?? path
        const read = readerOf(key)
        const options = read ? differences(read(linesOf(then)), read(linesOf(present))) : []
        const hunks = compare(then, present)
        if (hunks.length === 0) return <Text c="dimmed">{t('then.same')}</Text>
        return (
          <Stack gap="sm">
            <Text size="sm">{t('then.since')}</Text>
            {options.length > 0 && (
              <div className={classes.card}>
                <OptionsTable changes={options} label={t('plan:changed', { file: title })} />
              </div>
            )}
            <DiffView hunks={hunks} label={t('plan:diffOf', { file: title })} />
          </Stack>
        )
      }}
    </Answer>
  )
}
