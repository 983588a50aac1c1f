import { ActionIcon, Menu, Tooltip } from '@mantine/core'
import { IconApi, IconDots, IconLink, IconTerminal2 } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Operation, plan } from '@/api/client'
import type { OperationSchema } from '@/forms/schema'
import { curlCommand, pveshCommand, secretNames, secretsIn } from '@/plan/command'
import { approvalLink, askedBy } from '@/plan/share'
import { showError } from '@/ui/act'
import { notify } from '@/ui/notify'

/** The call, to be taken elsewhere: to a shell, to a script, to somebody who is to approve it. */
export function CopyMenu({
  operation,
  params,
  token,
  schema,
}: {
  operation: Operation
  /** May throw while the form isn't complete. */
  params: () => Record<string, unknown>
  /** Of the plan, if there is one. */
  token?: string
  schema: OperationSchema | undefined
}) {
  const { t } = useTranslation(['plan', 'common'])
  const [opened, setOpened] = useState(false)
  const secrets = schema ? secretNames(schema) : undefined

  async function copy(make: (params: Record<string, unknown>) => string | Promise<string>): Promise<void> {
    try {
      await navigator.clipboard.writeText(await make(params()))
      notify.show({ message: t('common:copied'), autoClose: 2000 })
    } catch (error) {
      showError(t('copyFailed'), error)
    }
  }

  async function link(given: Record<string, unknown>): Promise<string> {
    const found = secretsIn(given, secrets)
    if (found.length > 0) throw new Error(t('noSecrets', { names: found.join(', ') }))
    const made = token ?? (await plan(operation, given as never)).token
    const asked = askedBy(made)
    if (!asked) throw new Error(t('copyFailed'))
    return approvalLink(window.location.origin, { operation, params: given, asked })
  }

  return (
    <Menu opened={opened} onChange={setOpened} position="top-start" withinPortal>
      <Menu.Target>
        <Tooltip label={t('elsewhere')} disabled={opened}>
          <ActionIcon variant="default" size="input-sm" aria-label={t('elsewhere')}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconTerminal2 size={16} aria-hidden />}
          onClick={() => void copy((given) => pveshCommand(operation, given, secrets))}
        >
          {t('copyCommand')}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconApi size={16} aria-hidden />}
          onClick={() => void copy((given) => curlCommand(operation, given, window.location.origin, secrets))}
        >
          {t('copyCurl')}
        </Menu.Item>
        {!schema?.never && (
          <Menu.Item leftSection={<IconLink size={16} aria-hidden />} onClick={() => void copy(link)}>
            {t('copyLink')}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
