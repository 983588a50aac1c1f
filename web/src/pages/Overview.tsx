import { Button, SimpleGrid, Skeleton, Stack } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/api/session'
import { useGuests, useInventory, useNodes, useStorages } from '@/live/inventory'
import { useTasks } from '@/live/tasks'
import { FirstRun } from '@/pages/overview/FirstRun'
import { concerns, countGuests, runningTasks, totals } from '@/pages/overview/glance'
import { Attention, Nodes, Recent, Running, Storages } from '@/pages/overview/Parts'
import { Totals } from '@/pages/overview/Totals'
import { Page } from '@/ui/Page'

/** The cluster at a glance: how it is, what needs attention, what happens now. */
export default function Overview() {
  const { t } = useTranslation(['overview', 'common'])
  const { ready } = useInventory()
  const guests = useGuests()
  const may = useMay('vms', 'VM.Allocate')
  const navigate = useNavigate()
  const create = () => void navigate({ to: '.', search: (all) => ({ ...all, create: 'vm' }) })
  const fresh = ready && may && guests.length === 0
  return (
    <Page
      title={t('title')}
      actions={
        may &&
        !fresh && (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={create}>
            {t('createVm')}
          </Button>
        )
      }
    >
      {ready ? <Body fresh={fresh} /> : <Skeleton h={120} aria-label={t('common:loading')} />}
    </Page>
  )
}

function Body({ fresh }: { fresh: boolean }) {
  const guests = useGuests()
  const nodes = useNodes()
  const storages = useStorages()
  const tasks = useTasks()
  const count = useMemo(() => countGuests(guests), [guests])
  const sums = useMemo(() => totals(nodes, storages), [nodes, storages])
  const now = useMemo(
    () => ({
      concerns: concerns({ nodes, storages, guests }, tasks.values(), Date.now() / 1000),
      running: runningTasks(tasks.values()),
    }),
    [nodes, storages, guests, tasks],
  )
  return (
    <Stack gap="md">
      {fresh && <FirstRun />}
      <Totals nodes={nodes} sums={sums} guests={count} />
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
        <Stack gap="md">
          <Attention concerns={now.concerns} />
          <Running tasks={now.running} />
          <Recent />
        </Stack>
        <Stack gap="md">
          <Nodes nodes={nodes} />
          {storages.length > 0 && <Storages storages={storages} />}
        </Stack>
      </SimpleGrid>
    </Stack>
  )
}
