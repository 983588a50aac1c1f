/** Who wrote each line of a file. */
import { Anchor, Select, Stack, Text } from '@mantine/core'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useApi } from '@/api/query'
import { usePlace } from '@/pages/history/data'
import { Reason } from '@/pages/history/Reason'
import { initials } from '@/pages/history/timeline'
import { recordName } from '@/plan/files'
import { Answer } from '@/ui/Answer'
import { ago, moment } from '@/ui/format'
import classes from './history.module.css'

type Line = Result<'GET /cluster/history/blame'>['lines'][number]

export function BlameView({ own }: { own?: string }) {
  const { t } = useTranslation('history')
  const [place, go] = usePlace()
  const path = own ?? place.file
  return (
    <div className={classes.page}>
      <Stack gap="md" maw={960}>
        {!own && <FilePicker value={path} onPick={(file) => go({ file })} />}
        {path ? (
          <Lines path={path} />
        ) : (
          <Text c="dimmed" size="sm">
            {t('blame.pick')}
          </Text>
        )}
      </Stack>
    </div>
  )
}

function FilePicker({ value, onPick }: { value?: string; onPick: (file: string | undefined) => void }) {
  const { t } = useTranslation('history')
  const then = useApi('GET /cluster/history/at', { time: 2 ** 40 - 1 })
  const data = useMemo(
    () =>
      (then.data?.files ?? [])
        .filter((file) => file.size !== undefined)
        .map((file) => {
          const name = recordName(file.key)
          return { value: file.key, label: name === file.key ? file.path : `${name} (${file.path})` }
        }),
    [then.data],
  )
  return (
    <Select
      label={t('blame.file')}
      maw={480}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': t('filter.clear') }}
      data={data}
      value={value ?? null}
      onChange={(file) => onPick(file ?? undefined)}
      nothingFoundMessage={t('blame.none')}
    />
  )
}

/** Lines of one change that stand together. */
interface Block {
  first: number
  by: Line
  lines: Line[]
}

function blocksOf(lines: readonly Line[]): Block[] {
  const blocks: Block[] = []
  lines.forEach((line, place) => {
    const last = blocks.at(-1)
    if (last && last.by.revision === line.revision) last.lines.push(line)
    else blocks.push({ first: place + 1, by: line, lines: [line] })
  })
  return blocks
}

function Lines({ path }: { path: string }) {
  const { t } = useTranslation('history')
  const query = useApi('GET /cluster/history/blame', { path }, { retry: false })
  return (
    <Answer query={query}>
      {(blame) =>
        blame.lines.length === 0 ? (
          <Text c="dimmed">{t('then.blank')}</Text>
        ) : (
          <table className={classes.blame} aria-label={t('blame.of', { file: recordName(blame.key) })}>
            <thead>
              <tr>
                <th scope="col">{t('blame.change')}</th>
                <th scope="col">{t('blame.lines')}</th>
              </tr>
            </thead>
            <tbody>
              {blocksOf(blame.lines).map((block) => (
                <tr key={block.first}>
                  <td>
                    <By line={block.by} />
                  </td>
                  <td>
                    <ol start={block.first} className={classes.text}>
                      {block.lines.map((line, place) => (
                        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
                        <li key={place}>{line.text}</li>
                      ))}
                    </ol>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      }
    </Answer>
  )
}

function By({ line }: { line: Line }) {
  const { t } = useTranslation('history')
  const [, go] = usePlace()
  const { revision, user, time, why } = line
  if (revision === undefined || user === undefined || time === undefined) {
    return (
      <Text size="xs" c="dimmed">
        {t('blame.older')}
      </Text>
    )
  }
  return (
    <div className={classes.by}>
      <span className={classes.avatar} data-small aria-hidden>
        {initials(user)}
      </span>
      <div>
        <Anchor component="button" type="button" size="sm" ta="left" onClick={() => go({ view: 'changes', revision })}>
          {user}
        </Anchor>
        <Text size="xs" c="dimmed" title={moment(time)}>
          {ago(time)}
          {why && (
            <span className={classes.wide}>
              {' · '}
              <Reason why={why} />
            </span>
          )}
        </Text>
      </div>
    </div>
  )
}
