import { Alert, Button, Menu, Stack, Text } from '@mantine/core'
import {
  IconChevronDown,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconPower,
  IconRefresh,
  IconWifi,
} from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useAllowed } from '@/api/permissions'
import { useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import { useGuests } from '@/live/inventory'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { useDialog } from '@/ui/useDialog'

const BULK = {
  startAll: { operation: 'POST /nodes/{node}/startall', icon: <IconPlayerPlay size={16} /> },
  stopAll: { operation: 'POST /nodes/{node}/stopall', icon: <IconPlayerStop size={16} /> },
  suspendAll: { operation: 'POST /nodes/{node}/suspendall', icon: <IconPlayerPause size={16} /> },
} as const
type Bulk = keyof typeof BULK

/** What switches the node, or all its guests. */
export function PowerMenu({ node }: { node: string }) {
  const { t } = useTranslation('node')
  const may = useAllowed(`/nodes/${node}`, 'Sys.PowerMgmt')
  const mayGuests = useAllowed('/', 'VM.PowerMgmt')
  const power = useDialog<'reboot' | 'shutdown'>()
  const wake = useDialog<true>()
  const bulk = useDialog<Bulk>()
  if (!may && !mayGuests) return null
  return (
    <>
      <Menu position="bottom-end" shadow="md">
        <Menu.Target>
          <Button variant="default" leftSection={<IconPower size={16} />} rightSection={<IconChevronDown size={14} />}>
            {t('power.menu')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {mayGuests &&
            (Object.keys(BULK) as Bulk[]).map((each) => (
              <Menu.Item key={each} leftSection={BULK[each].icon} onClick={() => bulk.open(each)}>
                {t(`power.${each}`)}
              </Menu.Item>
            ))}
          {mayGuests && may && <Menu.Divider />}
          {may && (
            <>
              <Menu.Item leftSection={<IconWifi size={16} />} onClick={() => wake.open(true)}>
                {t('power.wake')}
              </Menu.Item>
              <Menu.Item
                leftSection={<IconRefresh size={16} />}
                color="var(--corral-bad)"
                onClick={() => power.open('reboot')}
              >
                {t('power.reboot')}
              </Menu.Item>
              <Menu.Item
                leftSection={<IconPower size={16} />}
                color="var(--corral-bad)"
                onClick={() => power.open('shutdown')}
              >
                {t('power.shutdown')}
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      {power.value && <PowerDialog node={node} command={power.value} opened={power.opened} onClose={power.close} />}
      {wake.value && (
        <ChangeDialog
          opened={wake.opened}
          onClose={wake.close}
          title={t('power.wakeTitle', { node })}
          operation="POST /nodes/{node}/wakeonlan"
          params={() => ({ node })}
          submit={t('power.wake')}
          size="md"
        >
          <Text>{t('power.wakeText')}</Text>
        </ChangeDialog>
      )}
      {bulk.value && (
        <OperationDialog
          opened={bulk.opened}
          onClose={bulk.close}
          title={t(`power.${bulk.value}Title`, { node })}
          operation={BULK[bulk.value].operation}
          fixed={{ node }}
          submit={t(`power.${bulk.value}`)}
          danger={bulk.value !== 'startAll'}
        />
      )}
    </>
  )
}

function PowerDialog({
  node,
  command,
  opened,
  onClose,
}: {
  node: string
  command: 'reboot' | 'shutdown'
  opened: boolean
  onClose: () => void
}) {
  const { t } = useTranslation('node')
  const running = useGuests().filter((guest) => guest.node === node && guest.status === 'running').length
  const members = useApi('GET /cluster/status', {}, { enabled: opened }).data
  const here = members?.some((each) => each.name === node && each.local === 1)
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t(`power.${command}Title`, { node })}
      operation="POST /nodes/{node}/status"
      params={() => ({ node, command })}
      submit={t(`power.${command}`)}
      danger
      size="md"
    >
      <Stack>
        <Text>{t(`power.${command}Text`)}</Text>
        {running > 0 && <Alert color="yellow">{t('power.running', { count: running })}</Alert>}
        {here && <Alert color="yellow">{t('power.here')}</Alert>}
      </Stack>
    </ChangeDialog>
  )
}
