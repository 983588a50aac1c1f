import { Text } from '@mantine/core'
import {
  IconArrowsMaximize,
  IconArrowsMinimize,
  IconClipboard,
  IconContrast,
  IconCopy,
  IconExternalLink,
  IconKeyboard,
  IconTextDecrease,
  IconTextIncrease,
} from '@tabler/icons-react'
import type { Terminal as Xterm } from '@xterm/xterm'
import type { ReactNode, RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import classes from '@/pages/guests/console/Console.module.css'
import { ToolButton } from '@/pages/guests/console/ToolButton'
import { LEAST, MOST, type TerminalLook } from '@/pages/guests/console/terminalLook'

export function TerminalTools({
  made,
  enabled,
  look,
  onLook,
  lead,
  full,
  onFull,
  onWindow,
  hint,
}: {
  made: RefObject<{ terminal: Xterm } | null>
  enabled: boolean
  look: TerminalLook
  onLook: (change: Partial<TerminalLook>) => void
  lead?: ReactNode
  full: boolean
  onFull: () => void
  onWindow?: () => void
  hint?: string
}) {
  const { t } = useTranslation('console')
  const terminal = () => made.current?.terminal
  const key = (data: string) => {
    terminal()?.input(data)
    terminal()?.focus()
  }
  return (
    <div className={classes.bar} role="toolbar" aria-label={t('tools')}>
      {lead}
      <ToolButton label="Tab" onClick={() => key('\t')} disabled={!enabled} hiddenFrom="sm" fz="xs">
        Tab
      </ToolButton>
      <ToolButton label="Esc" onClick={() => key('\x1b')} disabled={!enabled} hiddenFrom="sm" fz="xs">
        Esc
      </ToolButton>
      <ToolButton label="Ctrl+C" onClick={() => key('\x03')} disabled={!enabled} hiddenFrom="sm" fz="xs">
        ^C
      </ToolButton>
      <ToolButton label={t('keyboard')} onClick={() => terminal()?.focus()} disabled={!enabled} hiddenFrom="sm">
        <IconKeyboard size={18} />
      </ToolButton>
      <ToolButton
        label={t('copySelection')}
        onClick={() => void navigator.clipboard.writeText(terminal()?.getSelection() ?? '')}
      >
        <IconCopy size={18} />
      </ToolButton>
      <ToolButton
        label={t('pasteText')}
        disabled={!enabled}
        onClick={() =>
          void navigator.clipboard.readText().then(
            (text) => terminal()?.paste(text),
            () => undefined,
          )
        }
      >
        <IconClipboard size={18} />
      </ToolButton>
      <ToolButton
        label={t('smaller')}
        disabled={look.fontSize <= LEAST}
        onClick={() => onLook({ fontSize: look.fontSize - 1 })}
      >
        <IconTextDecrease size={18} />
      </ToolButton>
      <ToolButton
        label={t('larger')}
        disabled={look.fontSize >= MOST}
        onClick={() => onLook({ fontSize: look.fontSize + 1 })}
      >
        <IconTextIncrease size={18} />
      </ToolButton>
      <ToolButton
        label={look.theme === 'dark' ? t('light') : t('dark')}
        onClick={() => onLook({ theme: look.theme === 'dark' ? 'light' : 'dark' })}
      >
        <IconContrast size={18} />
      </ToolButton>
      <ToolButton label={full ? t('fullOff') : t('full')} onClick={onFull}>
        {full ? <IconArrowsMinimize size={18} /> : <IconArrowsMaximize size={18} />}
      </ToolButton>
      {onWindow && (
        <ToolButton label={t('window')} onClick={onWindow} visibleFrom="sm">
          <IconExternalLink size={18} />
        </ToolButton>
      )}
      {hint && enabled && (
        <Text size="xs" c="dimmed" visibleFrom="sm" className={classes.state}>
          {hint}
        </Text>
      )}
    </div>
  )
}
