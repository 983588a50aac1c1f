import { Alert, Badge, Code, Group, SegmentedControl, Stack, Text, Title } from '@mantine/core'
import { IconAlertTriangle, IconLock } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Plan, Planned, PlanWrite } from '@/api/client'
import { recordName, useFileTitle } from '@/plan/files'
import { OptionsTable } from '@/plan/OptionsTable'
import { writtenOptions } from '@/plan/options'
import { DiffView } from '@/ui/DiffView'
import { parseDiff } from '@/ui/diff'
import { bytes, duration } from '@/ui/format'
import classes from './PlanView.module.css'

export interface PlanViewProps {
  planned: Planned
  /** The node of the call, for the paths of files that aren't there yet. */
  node?: string
  /** The call runs as a task. */
  task?: boolean
  /** The region's name, where there are several plans. */
  label?: string
}

/** What a call would do: warnings first, then what changes, then how it goes about it. */
export function PlanView({ planned, node, task = false, label }: PlanViewProps) {
  const { t } = useTranslation('plan')
  const { plan } = planned
  // What would be written as it is already is no change. A text that is not shown may be one.
  const writes = plan.writes.filter((write) => write.diff !== '')
  const nothing = writes.length + plan.volumes.length + plan.effects.length === 0
  return (
    <section aria-label={label ?? t('plan')} className={classes.plan}>
      <Warnings warnings={plan.warnings} />
      {nothing && <Text>{t(task ? 'taskOnly' : 'nothing')}</Text>}
      {plan.effects.length > 0 && (
        <Part title={t('effects')}>
          <ul className={classes.list}>
            {unique(plan.effects).map((effect) => (
              <li key={effect}>{effect}</li>
            ))}
          </ul>
        </Part>
      )}
      {plan.volumes.length > 0 && <Volumes volumes={plan.volumes} />}
      {writes.length > 0 && (
        <Part title={t('files', { count: writes.length })}>
          {writes.map((write, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a plan doesn't change, and may write a record twice
            <File key={place} write={write} node={node} />
          ))}
        </Part>
      )}
      <Course plan={plan} task={task} />
    </section>
  )
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)]

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap="xs">
      <Title order={3} size="h4" className={classes.heading}>
        {title}
      </Title>
      {children}
    </Stack>
  )
}

function Warnings({ warnings }: { warnings: readonly string[] }) {
  const { t } = useTranslation('plan')
  if (warnings.length === 0) return null
  return (
    <Alert
      color="yellow"
      icon={<IconAlertTriangle aria-hidden />}
      title={t('warnings', { count: warnings.length })}
      className={classes.warning}
    >
      <ul className={classes.list}>
        {unique(warnings).map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
    </Alert>
  )
}

const COLORS = { create: 'green', change: 'blue', delete: 'red' } as const

function File({ write, node }: { write: PlanWrite; node?: string }) {
  const { t } = useTranslation('plan')
  const { title, path } = useFileTitle(write.key, { text: write.text, node })
  return (
    <FileChange
      title={title}
      path={path}
      badge={
        <Badge variant="light" color={COLORS[write.action]} tt="none" className={classes.badge}>
          {t(`action.${write.action}`)}
        </Badge>
      }
      options={writtenOptions(write)}
      diff={write.diff}
      created={write.action === 'create'}
    />
  )
}

/** One file's change: its options, or the raw difference. Also of the history. */
export function FileChange(props: {
  title: string
  path: string
  badge?: ReactNode
  actions?: ReactNode
  options: ReturnType<typeof writtenOptions>
  /** Not there for a file whose text the caller may not see. */
  diff: string | undefined
  created?: boolean
}) {
  const { t } = useTranslation('plan')
  const { title, path, options, diff } = props
  const [raw, setRaw] = useState(false)
  const both = options !== null && options.length > 0 && diff !== undefined
  return (
    <article className={classes.file} aria-label={title}>
      <Group justify="space-between" gap="xs" align="flex-start">
        <div className={classes.name}>
          <Group gap="xs">
            <Text fw={600}>{title}</Text>
            {props.badge}
          </Group>
          {path !== title && (
            <Text size="xs" c="dimmed" className="mono" style={{ overflowWrap: 'anywhere' }}>
              {path}
            </Text>
          )}
        </div>
        <Group gap="xs">
          {both && (
            <SegmentedControl
              size="xs"
              aria-label={t('shownAs', { file: title })}
              value={raw ? 'diff' : 'options'}
              onChange={(value) => setRaw(value === 'diff')}
              data={[
                { value: 'options', label: t('asOptions') },
                { value: 'diff', label: t('asDiff') },
              ]}
            />
          )}
          {props.actions}
        </Group>
      </Group>
      <Body {...props} raw={raw || !both} />
    </article>
  )
}

function Body({ title, options, diff, created, raw }: Parameters<typeof FileChange>[0] & { raw: boolean }) {
  const { t } = useTranslation('plan')
  if (diff === undefined) {
    return (
      <Text size="sm" c="dimmed" className={classes.masked}>
        <IconLock size={14} aria-hidden /> {t('masked')}
      </Text>
    )
  }
  if (!raw && options) return <OptionsTable changes={options} label={t('changed', { file: title })} created={created} />
  const hunks = parseDiff(diff)
  if (hunks.length === 0) return <Text size="sm">{t('sameText')}</Text>
  return <DiffView hunks={hunks} label={t('diffOf', { file: title })} />
}

const VERBS = ['create', 'free', 'resize', 'import', 'write'] as const
type Verb = (typeof VERBS)[number]

function Volumes({ volumes }: { volumes: Plan['volumes'] }) {
  const { t } = useTranslation('plan')
  const say = (verb: string) => (VERBS.includes(verb as Verb) ? t(`volume.${verb as Verb}`) : verb)
  return (
    <Part title={t('volumes', { count: volumes.length })}>
      <ul className={classes.volumes}>
        {volumes.map(({ volid, verb, size }) => (
          <li key={`${verb} ${volid}`}>
            <Badge
              variant="light"
              color={verb === 'free' ? 'red' : verb === 'create' ? 'green' : 'blue'}
              tt="none"
              className={classes.badge}
            >
              {say(verb)}
            </Badge>
            <span className="mono">{volid}</span>
            {size !== undefined && <span className="numeric">{bytes(size)}</span>}
          </li>
        ))}
      </ul>
    </Part>
  )
}

/** Draws that people want to know; salts and times are drawn too. */
const DRAWN = /(^|\.)(mac|vmid|volname|uuid|vmgenid)$/

function Course({ plan, task }: { plan: Plan; task: boolean }) {
  const { t } = useTranslation('plan')
  const drawn = Object.entries(plan.draws).filter(([name]) => DRAWN.test(name))
  return (
    <dl className={classes.course}>
      {task && <Fact name={t('runsAs')}>{t('task')}</Fact>}
      {plan.seconds > 0 && (
        <Fact name={t('expected')}>
          {plan.seconds < 60 ? t('seconds', { count: Math.ceil(plan.seconds) }) : duration(plan.seconds)}
        </Fact>
      )}
      {plan.locks.length > 0 && <Fact name={t('locks')}>{plan.locks.map((lock) => recordName(lock)).join(', ')}</Fact>}
      {drawn.length > 0 && (
        <Fact name={t('drawn')}>
          {drawn.map(([name, value]) => (
            <div key={name}>
              {name}: <Code className={classes.code}>{value}</Code>
            </div>
          ))}
        </Fact>
      )}
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
