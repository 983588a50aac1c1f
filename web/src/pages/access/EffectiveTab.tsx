import { Alert, Select, SimpleGrid, Stack, Text } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { tokensOf, type User, useUsers, useWorld } from '@/pages/access/data'
import { EffectiveDetail } from '@/pages/access/EffectiveDetail'
import { EffectivePaths } from '@/pages/access/EffectivePaths'
import { effective, normalPath, userOf } from '@/pages/access/effective'
import { isOver } from '@/pages/access/expiry'
import { PathPicker } from '@/pages/access/PathPicker'
import { useMayOn, useMyself } from '@/pages/access/rights'
import { Answer } from '@/ui/Answer'

/** What is asked: in the address, so that the answer can be shown to others. */
interface Asked {
  who: string
  path: string
  other: string
}

function useAsked(): [Asked, (change: Partial<Asked>) => void] {
  const search = useSearch({ strict: false }) as Record<string, unknown>
  const navigate = useNavigate()
  const myself = useMyself()
  const text = (name: string) => (typeof search[name] === 'string' ? String(search[name]) : '')
  const asked = { who: text('who') || myself, path: text('path'), other: text('other') }
  const ask = (change: Partial<Asked>) => {
    const next = Object.entries({ ...asked, ...change }).filter(([, value]) => value !== '')
    void navigate({ to: '.', search: Object.fromEntries(next) as never, replace: true })
  }
  return [asked, ask]
}

/** What somebody holds by path: the API's answer; for who is shut out, what its entries would give. */
export type Held = Readonly<Record<string, Readonly<Record<string, number>>>>

const active = (user: User | undefined): boolean => !user || (user.enable === 1 && !isOver(user.expire))

export default function EffectiveTab() {
  const { t } = useTranslation(['access', 'common'])
  const [asked, ask] = useAsked()
  return (
    <Stack h="100%" gap="md">
      <Question asked={asked} ask={ask} />
      {asked.who === '' ? <Text>{t('effective.choose')}</Text> : <Reply asked={asked} ask={ask} />}
    </Stack>
  )
}

interface Asking {
  asked: Asked
  ask: (change: Partial<Asked>) => void
}

function useNames(): string[] {
  const users = useUsers().data
  const myself = useMyself()
  const others = useMayOn()('/access', 'Sys.Audit')
  return useMemo(() => {
    const seen = (users ?? []).filter((user) => others || user.userid === myself)
    return [...new Set([myself, ...seen.map((user) => user.userid), ...tokensOf(seen).map((token) => token.id)])]
  }, [users, myself, others])
}

const BELOW: ('label' | 'input' | 'description' | 'error')[] = ['label', 'input', 'description', 'error']

function Question({ asked, ask }: Asking) {
  const { t } = useTranslation(['access', 'common'])
  const names = useNames()
  const others = useMayOn()('/access', 'Sys.Audit')
  return (
    <Stack gap="xs">
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <Select
          label={t('effective.who')}
          description={t('effective.whoHelp')}
          inputWrapperOrder={BELOW}
          data={[...new Set([...names, asked.who])]}
          value={asked.who}
          onChange={(who) => who && ask({ who })}
          searchable
          allowDeselect={false}
        />
        <PathPicker
          label={t('effective.path')}
          description={t('effective.pathHelp')}
          value={asked.path}
          onChange={(path) => ask({ path })}
          below
        />
        <Select
          label={t('effective.compareWith')}
          description={t('effective.compareHelp')}
          inputWrapperOrder={BELOW}
          data={names.filter((name) => name !== asked.who)}
          value={asked.other || null}
          onChange={(other) => ask({ other: other ?? '' })}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': t('common:remove') }}
        />
      </SimpleGrid>
      {!others && (
        <Text size="sm" c="dimmed">
          {t('effective.others')}
        </Text>
      )}
    </Stack>
  )
}

function useHeld(who: string, path: string) {
  const user = useUsers().data?.find((each) => each.userid === userOf(who))
  const world = useWorld()
  const at = path.startsWith('/') ? normalPath(path) : ''
  const query = useApi('GET /access/permissions', { userid: who, ...(at && { path: at }) }, { enabled: who !== '' })
  const shut = !active(user)
  const data = useMemo<Held | undefined>(() => {
    if (!shut || !world) return query.data
    const paths = at ? [at] : [...new Set(world.acl.map((entry) => entry.path))]
    const held = paths.map((each) => {
      const verdict = effective(world, who, each)
      return [each, Object.fromEntries(verdict.held.map((one) => [one.privilege, one.propagate ? 1 : 0]))] as const
    })
    return Object.fromEntries(held.filter(([, privileges]) => at || Object.keys(privileges).length > 0))
  }, [shut, world, query.data, at, who])
  return { query: { ...query, data }, shut, world }
}

function Reply({ asked, ask }: Asking) {
  const { t } = useTranslation(['access', 'common'])
  const one = useHeld(asked.who, asked.path)
  const two = useHeld(asked.other, asked.path)
  const path = asked.path.startsWith('/') ? normalPath(asked.path) : ''
  return (
    <Answer query={one.query} needs="Sys.Audit (/access)">
      {(left) => {
        const right = asked.other ? two.query.data : undefined
        const shared = { who: asked.who, other: right && asked.other, left, right }
        return (
          <Stack gap="sm" flex={1} mih={320}>
            {(one.shut || (right && two.shut)) && <Alert color="yellow">{t('effective.inactive')}</Alert>}
            {path ? (
              <EffectiveDetail {...shared} path={path} world={one.world} onBack={() => ask({ path: '' })} />
            ) : (
              <EffectivePaths {...shared} onOpen={(next) => ask({ path: next })} />
            )}
          </Stack>
        )
      }}
    </Answer>
  )
}
