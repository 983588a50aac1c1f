import { Button, Group, Popover, Stack, Text, Textarea } from '@mantine/core'
import type RFB from '@novnc/novnc'
import { IconClipboard } from '@tabler/icons-react'
import { type RefObject, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { typeText } from '@/pages/guests/console/keys'
import { ToolButton } from '@/pages/guests/console/ToolButton'

/** Text for the guest, and what the guest has put into its clipboard. */
export function Clipboard({
  rfb,
  enabled,
  received,
}: {
  rfb: RefObject<RFB | null>
  enabled: boolean
  received: string
}) {
  const { t } = useTranslation(['console', 'common'])
  const [opened, setOpened] = useState(false)
  const [text, setText] = useState('')
  useEffect(() => setText(received), [received])
  const paste = () => void navigator.clipboard.readText().then(setText, () => undefined)
  function send(way: 'keys' | 'clipboard'): void {
    const client = rfb.current
    setOpened(false)
    if (!client) return
    if (way === 'clipboard') client.clipboardPasteFrom(text)
    else void typeText(client, text)
    client.focus()
  }
  return (
    <Popover opened={opened} onChange={setOpened} withinPortal={false} trapFocus width={320} position="bottom">
      <Popover.Target>
        <ToolButton label={t('clipboard.label')} onClick={() => setOpened(!opened)} disabled={!enabled}>
          <IconClipboard size={18} />
        </ToolButton>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('clipboard.label')}>
        <Stack gap="xs">
          <Textarea
            label={t('clipboard.text')}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            rows={5}
            data-autofocus
          />
          <Group gap="xs">
            <Button size="xs" onClick={() => send('keys')} disabled={!text}>
              {t('clipboard.type')}
            </Button>
            <Button size="xs" variant="default" onClick={() => send('clipboard')} disabled={!text}>
              {t('clipboard.send')}
            </Button>
            <Button size="xs" variant="default" onClick={paste}>
              {t('clipboard.paste')}
            </Button>
          </Group>
          <Text size="xs">{t('clipboard.help')}</Text>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
