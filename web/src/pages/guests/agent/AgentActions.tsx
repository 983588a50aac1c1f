import { Button, Menu } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { OperationDialog } from '@/forms/OperationDialog'
import type { Guest } from '@/live/types'
import { resultOf } from '@/pages/guests/agent/answers'
import { act } from '@/ui/act'
import { notify } from '@/ui/notify'

const BASE = 'POST /nodes/{node}/qemu/{vmid}/agent/'
const COMMANDS = ['ping', 'fsfreeze-status', 'fsfreeze-freeze', 'fsfreeze-thaw', 'fstrim'] as const

/** What the agent can be told to do. */
export function AgentActions({ guest, may }: { guest: Guest; may: (privilege: string) => boolean }) {
  const { t } = useTranslation('options')
  const [password, setPassword] = useState(false)
  const { node, vmid } = guest
  const all = may('VM.GuestAgent.Unrestricted')
  if (!all && !may('VM.GuestAgent.FileSystemMgmt')) return null
  async function run(command: (typeof COMMANDS)[number]): Promise<void> {
    const title = t(`agent.do.${command}`)
    const answer = await act(title, `${BASE}${command}`, { node, vmid })
    if (answer === undefined) return
    const result = resultOf(answer)
    const message = typeof result === 'string' || typeof result === 'number' ? String(result) : t('agent.done')
    notify.show({ title, message, color: 'green' })
  }
  return (
    <>
      <Menu position="bottom-start">
        <Menu.Target>
          <Button variant="default" size="xs" rightSection={<IconChevronDown size={14} />}>
            {t('agent.actions')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {COMMANDS.map((command) => (
            <Menu.Item key={command} onClick={() => void run(command)}>
              {t(`agent.do.${command}`)}
            </Menu.Item>
          ))}
          {all && <Menu.Divider />}
          {all && <Menu.Item onClick={() => setPassword(true)}>{t('agent.do.password')}</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      <OperationDialog
        opened={password}
        onClose={() => setPassword(false)}
        title={t('agent.do.password')}
        operation="POST /nodes/{node}/qemu/{vmid}/agent/set-user-password"
        fixed={{ node, vmid }}
        submit={t('agent.set')}
      />
    </>
  )
}
