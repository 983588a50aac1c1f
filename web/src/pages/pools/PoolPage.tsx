import { Anchor, Breadcrumbs, Button, Group, Stack, Text } from '@mantine/core'
import { IconFolder, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useAllowed } from '@/api/permissions'
import { useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import { useInventory } from '@/live/inventory'
import { above, DEEPEST, inside } from '@/pages/pools/members'
import { NewPoolDialog } from '@/pages/pools/NewPoolDialog'
import { PoolMembers } from '@/pages/pools/PoolMembers'
import { PoolPermissions } from '@/pages/pools/PoolPermissions'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { Answer } from '@/ui/Answer'
import { Page } from '@/ui/Page'
import { Section } from '@/ui/Section'
import { useDialog } from '@/ui/useDialog'

/** One pool: what is in it, and who may do what with that. */
export default function PoolPage() {
  const { t } = useTranslation(['access', 'common'])
  const { pool = '' } = useParams({ strict: false })
  const query = useApi('GET /pools', { poolid: pool }, { enabled: pool !== '' })
  const may = useAllowed(`/pool/${pool}`, 'Pool.Allocate')
  const row = query.data?.[0]
  const members = (row?.members ?? []) as Record<string, unknown>[]
  return (
    <Page
      title={t('pool.title', { pool })}
      icon={<IconFolder aria-hidden />}
      actions={may && row && <Actions pool={pool} comment={row.comment ?? ''} empty={members.length === 0} />}
    >
      <Stack maw={1100}>
        <Way pool={pool} />
        <Answer query={query} needs={`Pool.Audit (/pool/${pool})`}>
          {() => (
            <>
              {row?.comment && <Text style={{ whiteSpace: 'pre-wrap' }}>{row.comment}</Text>}
              <Folders pool={pool} may={may} />
              <PoolMembers
                pool={pool}
                may={may}
                storages={members.flatMap((each) => (each.type === 'storage' ? [String(each.storage)] : []))}
              />
              <PoolPermissions pool={pool} />
            </>
          )}
        </Answer>
      </Stack>
    </Page>
  )
}

function PoolLink({ pool, name }: { pool: string; name: string }) {
  return (
    <Anchor component={Link} to="/pools/$pool" params={{ pool } as never}>
      {name}
    </Anchor>
  )
}

/** The pools around this one. */
function Way({ pool }: { pool: string }) {
  const { t } = useTranslation(['access', 'common'])
  const outer = above(pool)
  if (outer.length === 0) return null
  return (
    <nav aria-label={t('pool.path')}>
      <Breadcrumbs>
        {outer.map((each) => (
          <PoolLink key={each} pool={each} name={each.slice(each.lastIndexOf('/') + 1)} />
        ))}
        <Text>{pool.slice(pool.lastIndexOf('/') + 1)}</Text>
      </Breadcrumbs>
    </nav>
  )
}

function Actions({ pool, comment, empty }: { pool: string; comment: string; empty: boolean }) {
  const { t } = useTranslation(['access', 'common'])
  const navigate = useNavigate()
  const { pools } = useInventory()
  const edit = useDialog<true>()
  const remove = useDialog<true>()
  const filled = !empty || inside(pool, pools.keys()).length > 0
  const up = above(pool).at(-1)
  const leave = () => void (up ? navigate({ to: '/pools/$pool', params: { pool: up } }) : navigate({ to: '/pools' }))
  return (
    <>
      <Button variant="default" leftSection={<IconPencil size={16} />} onClick={() => edit.open(true)}>
        {t('pool.editComment')}
      </Button>
      <Button
        variant="default"
        c={filled ? undefined : 'var(--corral-bad)'}
        leftSection={<IconTrash size={16} />}
        disabled={filled}
        title={filled ? t('pool.notEmpty') : undefined}
        onClick={() => remove.open(true)}
      >
        {t('pool.remove')}
      </Button>
      <OperationDialog
        opened={edit.opened}
        onClose={edit.close}
        title={t('pool.editTitle', { pool })}
        operation="PUT /pools"
        fixed={{ poolid: pool }}
        values={{ comment }}
        only={['comment']}
        submit={t('common:save')}
      />
      <ChangeDialog
        opened={remove.opened}
        onClose={remove.close}
        title={t('pool.removeTitle', { pool })}
        operation="DELETE /pools"
        params={() => ({ poolid: pool })}
        submit={t('common:remove')}
        danger
        size="md"
        onDone={leave}
      >
        <Text>{t('pool.removeText')}</Text>
      </ChangeDialog>
    </>
  )
}

function Folders({ pool, may }: { pool: string; may: boolean }) {
  const { t } = useTranslation(['access', 'common'])
  const { pools } = useInventory()
  const add = useDialog<true>()
  const found = inside(pool, pools.keys())
  const deep = above(pool).length + 1 >= DEEPEST
  if (found.length === 0 && (!may || deep)) return null
  return (
    <Section
      title={t('pool.folders')}
      actions={
        may &&
        !deep && (
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={() => add.open(true)}>
            {t('pool.newInside')}
          </Button>
        )
      }
    >
      {found.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('common:none')}
        </Text>
      ) : (
        <Group gap="lg">
          {found.map((each) => (
            <Group key={each} gap={6} wrap="nowrap">
              <IconFolder size={16} aria-hidden />
              <PoolLink pool={each} name={each.slice(pool.length + 1)} />
            </Group>
          ))}
        </Group>
      )}
      {add.value && <NewPoolDialog key={add.key} inside={pool} opened={add.opened} onClose={add.close} />}
    </Section>
  )
}
