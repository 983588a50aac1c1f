import { Alert, Button, Group, List, Stack, Text, Title } from '@mantine/core'
import { IconArrowLeft } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Held } from '@/pages/access/EffectiveTab'
import {
  type AclEntry,
  compare,
  effective,
  type Source,
  userOf,
  type Verdict,
  type World,
} from '@/pages/access/effective'
import { useWords } from '@/pages/access/PrivilegeList'
import { areaOf } from '@/pages/access/privileges'
import { type Column, DataTable } from '@/ui/DataTable'

interface PrivilegeRow {
  privilege: string
  area: string
  meaning: string
  below: boolean
  left: boolean
  right: boolean
  whyLeft: string[]
  whyRight: string[]
}

/** An entry in words: what gives something, and through which group or pool. */
function useWhy(): (source: Source) => string {
  const { t } = useTranslation(['access', 'common'])
  return ({ entry, pool }) => {
    const told = { role: entry.roleid, path: entry.path, group: entry.ugid, pool: pool ?? '' }
    if (pool) return entry.type === 'group' ? t('effective.viaPoolGroup', told) : t('effective.viaPool', told)
    return entry.type === 'group' ? t('effective.viaGroup', told) : t('effective.via', told)
  }
}

function useReasons(world: World | undefined, who: string | undefined, path: string) {
  const { t } = useTranslation(['access', 'common'])
  const why = useWhy()
  const verdict = useMemo(() => (world && who ? effective(world, who, path) : undefined), [world, who, path])
  const reasons = (privilege: string): string[] => {
    if (!who || !world) return []
    if (userOf(who) === 'root@pam') return [t('effective.root')]
    const sources = verdict?.held.find((each) => each.privilege === privilege)?.sources ?? []
    const found = [...new Set(sources.map(why))]
    const borrowed = who.includes('!') && world?.tokens.get(who) === false
    if (found.length === 0) return [t('effective.unknownWhy')]
    return borrowed ? [`${t('effective.viaUser', { user: userOf(who) })}: ${found.join('; ')}`] : found
  }
  return { verdict, reasons }
}

interface DetailProps {
  who: string
  other: string | undefined
  left: Held
  right: Held | undefined
  path: string
  world: World | undefined
  onBack: () => void
}

/** What somebody may do on one path, and which entries give it; of two, what differs. */
export function EffectiveDetail(props: DetailProps) {
  const { t } = useTranslation(['access', 'common'])
  const { who, other, path, world } = props
  const mine = useReasons(world, who, path)
  const theirs = useReasons(world, other, path)
  const say = useWords()
  const left = props.left[path] ?? {}
  const right = props.right?.[path] ?? {}
  const columns = useColumns(who, other)
  const rows = compare(Object.keys(left), Object.keys(right))
    .filter((each) => !other || each.left !== each.right)
    .map((each) => ({
      ...each,
      area: say.area(areaOf(each.privilege)),
      meaning: say.meaning(each.privilege),
      below: (left[each.privilege] ?? right[each.privilege]) === 1,
      whyLeft: each.left ? mine.reasons(each.privilege) : [],
      whyRight: each.right ? theirs.reasons(each.privilege) : [],
    }))
  return (
    <Stack gap="sm" flex={1} mih={0}>
      <Group gap="sm">
        <Button size="xs" variant="default" leftSection={<IconArrowLeft size={14} />} onClick={props.onBack}>
          {t('effective.allPaths')}
        </Button>
        <Title order={2} size="h3">
          {other ? t('effective.difference', { path }) : t('effective.may', { who, path })}
        </Title>
      </Group>
      <Remarks verdict={mine.verdict} path={path} />
      <div style={{ flex: 1, minHeight: 260 }}>
        <DataTable
          id={other ? 'effective-difference' : 'effective-detail'}
          label={t('tab.effective')}
          columns={columns}
          rows={rows}
          rowKey={(row) => row.privilege}
          rowName={(row) => row.privilege}
          stateIn="memory"
          empty={{ title: other ? t('effective.same') : t('effective.nothing') }}
        />
      </div>
    </Stack>
  )
}

function useColumns(who: string, other: string | undefined): Column<PrivilegeRow>[] {
  const { t } = useTranslation(['access', 'common'])
  return useMemo(() => {
    const base: Column<PrivilegeRow>[] = [
      {
        id: 'privilege',
        header: t('effective.privilege'),
        value: (row) => row.privilege,
        width: 180,
        required: true,
        mobile: 'title',
      },
      { id: 'meaning', header: t('effective.meaning'), value: (row) => row.meaning, width: 260 },
      { id: 'area', header: t('role.kind'), value: (row) => row.area, width: 130, filter: 'options', optional: true },
    ]
    if (other)
      return [
        ...base,
        {
          id: 'left',
          header: who,
          value: (row) => row.whyLeft,
          cell: held('whyLeft', t('effective.hasNot')),
          width: 220,
        },
        {
          id: 'right',
          header: other,
          value: (row) => row.whyRight,
          cell: held('whyRight', t('effective.hasNot')),
          width: 220,
        },
      ]
    return [
      ...base,
      {
        id: 'below',
        header: t('acl.propagate'),
        value: (row) => (row.below ? t('common:yes') : t('common:no')),
        width: 110,
        optional: true,
      },
      {
        id: 'why',
        header: t('effective.why'),
        value: (row) => row.whyLeft,
        cell: held('whyLeft', ''),
        width: 300,
        mobile: 'meta',
      },
    ]
  }, [t, who, other])
}

const held = (word: 'whyLeft' | 'whyRight', none: string) => (row: PrivilegeRow) => (
  <Text size="sm" truncate title={row[word].join('; ')}>
    {row[word].join('; ') || none}
  </Text>
)

function Remarks({ verdict, path }: { verdict: Verdict | undefined; path: string }) {
  const { t } = useTranslation(['access', 'common'])
  if (!verdict) return null
  return (
    <>
      {verdict.denied.length > 0 && <Alert color="yellow">{t('effective.denied', { path })}</Alert>}
      {verdict.lacking.length > 0 && (
        <Alert color="yellow" title={t('effective.lacking')}>
          {verdict.lacking.join(', ')}
        </Alert>
      )}
      {verdict.replaced.length > 0 && <Replaced entries={verdict.replaced} />}
    </>
  )
}

function Replaced({ entries }: { entries: AclEntry[] }) {
  const { t } = useTranslation(['access', 'common'])
  const why = useWhy()
  return (
    <Alert variant="light" title={t('effective.replaced')}>
      <List size="sm">
        {entries.map((entry) => (
          <List.Item key={`${entry.path} ${entry.ugid} ${entry.roleid}`}>{why({ entry })}</List.Item>
        ))}
      </List>
    </Alert>
  )
}
