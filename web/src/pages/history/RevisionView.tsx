import { ActionIcon, Badge, Button, Group, Stack, Text, Title, Tooltip } from '@mantine/core'
import { IconArrowBackUp, IconClockHour4, IconUserEdit, IconX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { usePlace, useRevision } from '@/pages/history/data'
import { Reason } from '@/pages/history/Reason'
import { Titles } from '@/pages/history/Row'
import type { Details } from '@/pages/history/timeline'
import { recordName, useFileTitle } from '@/plan/files'
import { optionChanges } from '@/plan/options'
import { FileChange } from '@/plan/PlanView'
import { Answer } from '@/ui/Answer'
import { ago, moment } from '@/ui/format'
import classes from './history.module.css'

export interface RevisionViewProps {
  revision: string
  /** Take it back; in one file, if its path is given. */
  onRevert: (path?: string) => void
  onClose: () => void
}

/** A revision with its differences. */
export function RevisionView(props: RevisionViewProps) {
  const { t } = useTranslation('history')
  const query = useRevision(props.revision)
  return (
    <section aria-label={t('revision', { revision: props.revision })} className={classes.revision}>
      <Answer query={query}>{(details) => <Shown {...props} details={details} />}</Answer>
    </section>
  )
}

function Shown({ details, revision, onRevert, onClose }: RevisionViewProps & { details: Details }) {
  const { t } = useTranslation(['history', 'common'])
  const [, go] = usePlace()
  return (
    <Stack gap="md">
      <Group justify="space-between" align="flex-start" wrap="nowrap" gap="xs">
        <div style={{ minWidth: 0 }}>
          <Title order={2} className={classes.revisionTitle}>
            <Titles row={details} />
          </Title>
          <Text size="sm">
            {details.user} · <span title={moment(details.time)}>{ago(details.time)}</span>
          </Text>
          <Text size="xs" c="dimmed" className="numeric">
            {moment(details.time)} · {t('revision', { revision })} · <Reason why={details.why} />
          </Text>
        </div>
        <ActionIcon variant="subtle" color="gray" size="md" onClick={onClose} aria-label={t('common:close')}>
          <IconX size={18} aria-hidden />
        </ActionIcon>
      </Group>
      <Group gap="xs">
        <Button size="xs" leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={() => onRevert()}>
          {t('revert')}
        </Button>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconClockHour4 size={16} aria-hidden />}
          onClick={() => go({ view: 'then', at: revision, when: undefined })}
        >
          {t('asOf')}
        </Button>
      </Group>
      {details.records.map((record) => (
        <File key={record.key} record={record} alone={details.count === 1} onRevert={onRevert} />
      ))}
      {details.count > details.records.length && (
        <Text size="sm">{t('notShown', { count: details.count - details.records.length })}</Text>
      )}
    </Stack>
  )
}

const COLORS = { create: 'green', change: 'blue', delete: 'red' } as const

function File({
  record,
  alone,
  onRevert,
}: {
  record: Details['records'][number]
  alone: boolean
  onRevert: (path: string) => void
}) {
  const { t } = useTranslation(['history', 'plan'])
  const [, go] = usePlace()
  const { title, path } = useFileTitle(record.key, { path: record.path })
  return (
    <FileChange
      title={title}
      path={path}
      diff={record.diff}
      options={record.diff === undefined ? null : optionChanges(record.key, record.diff)}
      created={record.action === 'create'}
      badge={
        <Badge variant="light" color={COLORS[record.action]} tt="none" className={classes.badge}>
          {t(`plan:action.${record.action}`)}
        </Badge>
      }
      actions={
        record.diff !== undefined && (
          <>
            <Tooltip label={t('blame.of', { file: recordName(record.key) })}>
              <ActionIcon
                variant="default"
                size={26}
                aria-label={t('blame.of', { file: title })}
                onClick={() => go({ view: 'blame', file: record.key })}
              >
                <IconUserEdit size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
            {!alone && (
              <Tooltip label={t('revertFile', { file: title })}>
                <ActionIcon
                  variant="default"
                  size={26}
                  aria-label={t('revertFile', { file: title })}
                  onClick={() => onRevert(record.key)}
                >
                  <IconArrowBackUp size={16} aria-hidden />
                </ActionIcon>
              </Tooltip>
            )}
          </>
        )
      }
    />
  )
}
