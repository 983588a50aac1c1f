/** The parts of the overview. */
import { Anchor, Group, Text } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react'
import { Link, type LinkProps } from '@tanstack/react-router'
import type { TFunction } from 'i18next'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useApi } from '@/api/query'
import { parseUpid } from '@/live/tasks'
import type { NodeRow, StorageRow, TaskInfo } from '@/live/types'
import { byTask, type Concern } from '@/pages/overview/glance'
import styles from '@/pages/overview/Overview.module.css'
import { Answer } from '@/ui/Answer'
import { ago, bytes, duration, percent } from '@/ui/format'
import { Section } from '@/ui/Section'
import { StatusDot } from '@/ui/StatusDot'
import { UsageBar } from '@/ui/UsageBar'

/** A link within the page that looks like one. */
export function To({ children, ...to }: LinkProps & { children: ReactNode }) {
  return (
    <Anchor size="sm" renderRoot={(props) => <Link {...props} {...(to as object)} />}>
      {children}
    </Anchor>
  )
}

/** The most rows of a part. */
const SHOWN = 8

const usage = (part: number, whole: number): number => (whole > 0 ? part / whole : 0)

export function Nodes({ nodes }: { nodes: readonly NodeRow[] }) {
  const { t } = useTranslation('overview')
  const shown = [...nodes]
    .sort((a, b) => Number(a.status === 'online') - Number(b.status === 'online') || b.cpu - a.cpu)
    .slice(0, SHOWN)
  return (
    <Section title={t('nodes')} actions={nodes.length > SHOWN && <To to="/nodes">{t('showAll')}</To>}>
      <ul className={styles.rows}>
        {shown.map((node) => (
          <li key={node.node} className={styles.row}>
            <StatusDot
              status={node.status}
              compact
              label={t(`nodeStatus.${node.status === 'online' ? 'online' : 'offline'}`)}
            />
            <span className={styles.text}>
              <To to="/nodes/$node" params={{ node: node.node }}>
                {node.node}
              </To>
              {node.status === 'online' && node.uptime > 0 && (
                <Text span size="xs" c="dimmed" ml="xs" className={styles.hide}>
                  {t('up', { time: duration(node.uptime) })}
                </Text>
              )}
            </span>
            {node.maxcpu > 0 && <Use label={t('cpu')} share={node.cpu} />}
            {node.maxmem > 0 && <Use label={t('memory')} share={usage(node.mem, node.maxmem)} />}
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Use({ label, share }: { label: string; share: number }) {
  return (
    <span className={styles.meter}>
      <UsageBar fraction={share} text={`${label} ${percent(share)}`} />
    </span>
  )
}

export function Storages({ storages }: { storages: readonly StorageRow[] }) {
  const { t } = useTranslation('overview')
  const shown = [...storages].sort((a, b) => usage(b.disk, b.maxdisk) - usage(a.disk, a.maxdisk)).slice(0, 6)
  return (
    <Section title={t('storage')} actions={storages.length > shown.length && <To to="/storage">{t('showAll')}</To>}>
      <ul className={styles.rows}>
        {shown.map((each) => (
          <li key={each.id} className={styles.row}>
            <span className={styles.text}>
              <To to="/storage/$node/$storage" params={{ node: each.node, storage: each.storage }}>
                {each.storage}
              </To>
              <Text span size="xs" c="dimmed" ml="xs">
                {each.node}
              </Text>
            </span>
            <Text size="xs" c="dimmed" className={`numeric ${styles.hide}`}>
              {t('of', { used: bytes(each.disk), total: bytes(each.maxdisk) })}
            </Text>
            <span className={styles.meter}>
              <UsageBar fraction={usage(each.disk, each.maxdisk)} text={percent(usage(each.disk, each.maxdisk))} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

const key = (concern: Concern): string => (concern.kind === 'task' ? concern.task.upid : JSON.stringify(concern))

export function Attention({ concerns }: { concerns: readonly Concern[] }) {
  const { t } = useTranslation('overview')
  return (
    <Section title={t('attention')}>
      {concerns.length === 0 ? (
        <Group gap="xs">
          <IconCircleCheck size={20} color="var(--corral-ok)" aria-hidden />
          <Text size="sm">{t('allWell')}</Text>
        </Group>
      ) : (
        <ul className={styles.rows}>
          {concerns.slice(0, SHOWN).map((concern) => (
            <li key={key(concern)} className={styles.row}>
              <IconAlertTriangle size={18} color="var(--corral-warn)" aria-hidden style={{ flex: 'none' }} />
              <span className={styles.text}>
                <OneConcern concern={concern} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {concerns.length > SHOWN && (
        <Text size="sm" c="dimmed">
          {t('andMore', { count: concerns.length - SHOWN })}
        </Text>
      )}
    </Section>
  )
}

function OneConcern({ concern }: { concern: Concern }) {
  const { t } = useTranslation('overview')
  switch (concern.kind) {
    case 'node':
      return (
        <To to="/nodes/$node" params={{ node: concern.node }}>
          {t('concern.node', { node: concern.node })}
        </To>
      )
    case 'storageAway':
      return (
        <To to="/storage/$node/$storage" params={{ node: concern.node, storage: concern.storage }}>
          {t('concern.storageAway', { storage: concern.storage, node: concern.node })}
        </To>
      )
    case 'storageFull':
      return (
        <To to="/storage/$node/$storage" params={{ node: concern.node, storage: concern.storage }}>
          {t('concern.storageFull', { storage: concern.storage, node: concern.node, share: percent(concern.share) })}
        </To>
      )
    case 'task':
      return <FailedTask task={concern.task} />
    default:
      return (
        <To to="/guests/$vmid" params={{ vmid: String(concern.vmid) }}>
          {guestText(concern, t)}
        </To>
      )
  }
}

function guestText(concern: Extract<Concern, { vmid: number }>, t: TFunction<'overview'>): string {
  const { name, vmid } = concern
  return concern.kind === 'guestLock'
    ? t('concern.guestLock', { name, vmid, lock: concern.lock })
    : t('concern.guestError', { name, vmid, status: concern.status })
}

const taskText = ({ type, id }: Pick<TaskInfo, 'type' | 'id'>): string => (id ? `${type} ${id}` : type)

function FailedTask({ task }: { task: TaskInfo }) {
  const { t } = useTranslation('overview')
  return (
    <>
      <To to="/tasks/$upid" params={{ upid: task.upid }}>
        {t('concern.task', { task: taskText(task) })}
      </To>
      <Text size="xs" c="dimmed" lineClamp={2}>
        {ago(task.endtime ?? task.starttime)} · {task.status}
      </Text>
    </>
  )
}

export function Running({ tasks }: { tasks: readonly TaskInfo[] }) {
  const { t } = useTranslation('overview')
  return (
    <Section title={t('runningTasks')}>
      {tasks.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('noTasks')}
        </Text>
      ) : (
        <ul className={styles.rows}>
          {tasks.slice(0, SHOWN).map((task) => (
            <li key={task.upid} className={styles.row}>
              <span className={styles.text}>
                <To to="/tasks/$upid" params={{ upid: task.upid }}>
                  {taskText(task)}
                </To>
                <Text size="xs" c="dimmed" lineClamp={1}>
                  {task.waiting ? t('waitsFor', { reason: task.waiting }) : (task.text ?? task.user)}
                </Text>
              </span>
              {task.progress !== undefined && (
                <span className={styles.meter}>
                  <UsageBar fraction={task.progress} text={percent(task.progress)} />
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}

export function Recent() {
  const { t } = useTranslation('overview')
  const query = useApi('GET /cluster/history', { limit: 12 }, { retry: false })
  return (
    <Section title={t('recent')} actions={<To to="/history">{t('allChanges')}</To>}>
      <Answer query={query} needs="Sys.Audit">
        {({ rows }) =>
          rows.length === 0 ? (
            <Text size="sm" c="dimmed">
              {t('noChanges')}
            </Text>
          ) : (
            <ul className={styles.rows}>
              {byTask(rows)
                .slice(0, 6)
                .map((row) => (
                  <li key={row.revision} className={styles.row}>
                    <span className={styles.text}>
                      <Reason row={row} />
                      <Text size="xs" c="dimmed">
                        {row.user} · {ago(row.time)}
                      </Text>
                    </span>
                  </li>
                ))}
            </ul>
          )
        }
      </Answer>
    </Section>
  )
}

type Row = Result<'GET /cluster/history'>['rows'][number]

function Reason({ row }: { row: Row }) {
  if (row.upid)
    return (
      <To to="/tasks/$upid" params={{ upid: row.upid }}>
        {taskText(parseUpid(row.upid))}
      </To>
    )
  return (
    <Text size="sm" lineClamp={2}>
      {row.why || row.records.map(({ path }) => path).join(', ')}
    </Text>
  )
}
