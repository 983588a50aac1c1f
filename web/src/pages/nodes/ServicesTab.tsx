import { Button, Text } from '@mantine/core'
import { IconPlayerPlay, IconPlayerStop, IconRefresh, IconReload } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useAllowed } from '@/api/permissions'
import { refresh, useApi } from '@/api/query'
import { whenEnded } from '@/live/tasks'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { act, isUpid } from '@/ui/act'
import { type Column, DataTable, type RowAction } from '@/ui/DataTable'
import { StatusDot } from '@/ui/StatusDot'
import { useDialog } from '@/ui/useDialog'

type Service = Result<'GET /nodes/{node}/services'>[number]
type Deed = 'start' | 'stop' | 'restart' | 'reload'
const NONE: readonly Service[] = []
const isRunning = (row: Service): boolean => row.state === 'running' || row['active-state'] === 'active'
const isThere = (row: Service): boolean => row['unit-state'] !== 'not-found'

function useColumns(): Column<Service>[] {
  const { t } = useTranslation('node')
  return useMemo(
    () => [
      {
        id: 'service',
        header: t('service.name'),
        value: (row) => row.service,
        width: 160,
        required: true,
        mobile: 'title',
      },
      { id: 'desc', header: t('service.description'), value: (row) => row.desc, width: 260, mobile: 'meta' },
      {
        id: 'state',
        header: t('service.state'),
        value: (row) => row.state,
        cell: (row) => (
          <StatusDot
            status={isRunning(row) ? 'running' : row.state === 'failed' ? 'error' : 'stopped'}
            label={row.state}
          />
        ),
        width: 110,
        filter: 'options',
        mobile: 'side',
      },
      {
        id: 'unit',
        header: t('service.unit'),
        value: (row) => row['unit-state'],
        width: 110,
        filter: 'options',
      },
    ],
    [t],
  )
}

/** The state of services has no event: it is read when the page is opened, and after each task here. */
const again = () => void refresh('GET /nodes/{node}/services')
const afterTask = (result: unknown): void => {
  if (isUpid(result)) void whenEnded(result).then(again)
}

export default function ServicesTab({ node }: { node: string }) {
  const { t } = useTranslation('node')
  const query = useApi('GET /nodes/{node}/services', { node }, { staleTime: 0 })
  const columns = useColumns()
  const sure = useDialog<{ service: string; deed: 'stop' | 'restart' }>()
  const actions = useActions(node, (service, deed) => sure.open({ service, deed }))
  return (
    <>
      <DataTable
        id="services"
        label={t('service.list')}
        columns={columns}
        rows={query.data ?? NONE}
        rowKey={(row) => row.service}
        rowName={(row) => row.service}
        loading={query.isPending}
        error={query.error}
        onRetry={() => void query.refetch()}
        actions={actions}
        toolbar={
          <Button
            size="xs"
            ml="auto"
            variant="default"
            leftSection={<IconRefresh size={14} />}
            loading={query.isFetching}
            onClick={() => void query.refetch()}
          >
            {t('service.refresh')}
          </Button>
        }
        empty={{ title: t('service.emptyTitle') }}
      />
      {sure.value && (
        <ChangeDialog
          opened={sure.opened}
          onClose={sure.close}
          title={t(`service.${sure.value.deed}Title`, { service: sure.value.service })}
          operation={`POST /nodes/{node}/services/{service}/${sure.value.deed}`}
          params={() => ({ node, service: sure.value?.service as never })}
          submit={t(`service.${sure.value.deed}`)}
          danger
          size="md"
          onDone={afterTask}
        >
          <Text>{t(`service.${sure.value.deed}Text`)}</Text>
        </ChangeDialog>
      )}
    </>
  )
}

const ICON = {
  start: <IconPlayerPlay size={16} />,
  restart: <IconRefresh size={16} />,
  reload: <IconReload size={16} />,
  stop: <IconPlayerStop size={16} />,
}
const DEEDS: readonly Deed[] = ['start', 'restart', 'reload', 'stop']

/** Starting and reloading harm nobody and are done at once; the others are asked about. */
function useActions(node: string, ask: (service: string, deed: 'stop' | 'restart') => void) {
  const { t } = useTranslation('node')
  const may = useAllowed(`/nodes/${node}`, 'Sys.Modify')
  const refused = may ? undefined : t('noRight', { privilege: 'Sys.Modify' })
  return (row: Service): readonly RowAction[] =>
    DEEDS.map((deed) => {
      const idle = deed !== 'start' && !isRunning(row) ? t('service.notRunning') : undefined
      const busy = deed === 'start' && isRunning(row) ? t('service.alreadyRunning') : undefined
      const run = async () => {
        const title = t(deed === 'start' ? 'service.startTitle' : 'service.reloadTitle', { service: row.service })
        const operation = `POST /nodes/{node}/services/{service}/${deed}` as const
        afterTask(await act(title, operation, { node, service: row.service as never }))
      }
      return {
        id: deed,
        label: t(`service.${deed}`),
        icon: ICON[deed],
        danger: deed === 'stop',
        divider: deed === 'stop',
        disabled: refused ?? (isThere(row) ? undefined : t('service.missing')) ?? idle ?? busy,
        onClick: () => (deed === 'stop' || deed === 'restart' ? ask(row.service, deed) : void run()),
      }
    })
}
