import { Menu } from '@mantine/core'
import type RFB from '@novnc/novnc'
import {
  IconArrowsMaximize,
  IconArrowsMinimize,
  IconCamera,
  IconCheck,
  IconCommand,
  IconExternalLink,
  IconKeyboard,
  IconZoomScan,
} from '@tabler/icons-react'
import type { ReactNode, RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import type { Guest } from '@/live/types'
import { Clipboard } from '@/pages/guests/console/Clipboard'
import classes from '@/pages/guests/console/Console.module.css'
import { ALT, CTRL, chord, DELETE, ESCAPE, functionKey, META, PRINT, TAB } from '@/pages/guests/console/keys'
import { Modifiers } from '@/pages/guests/console/Modifiers'
import { isPopout, openPopout } from '@/pages/guests/console/popout'
import { ToolButton } from '@/pages/guests/console/ToolButton'
import type { Scaling } from '@/pages/guests/console/useVnc'

interface ToolsProps {
  guest: Guest
  rfb: RefObject<RFB | null>
  enabled: boolean
  lead: ReactNode
  clipboard: string
  scaling: Scaling
  onScaling: (scaling: Scaling) => void
  full: boolean
  onFull: () => void
  onKeyboard: () => void
}

export function VncTools(props: ToolsProps) {
  const { t } = useTranslation('console')
  const { rfb, enabled, guest, full } = props
  return (
    <div className={classes.bar} role="toolbar" aria-label={t('tools')}>
      {props.lead}
      <KeysMenu rfb={rfb} enabled={enabled} />
      <Modifiers rfb={rfb} enabled={enabled} />
      <ToolButton label={t('keyboard')} onClick={props.onKeyboard} disabled={!enabled}>
        <IconKeyboard size={18} />
      </ToolButton>
      <Clipboard rfb={rfb} enabled={enabled} received={props.clipboard} />
      <ScalingMenu scaling={props.scaling} onScaling={props.onScaling} />
      <ToolButton label={t('screenshot')} onClick={() => screenshot(rfb.current, guest.name)} disabled={!enabled}>
        <IconCamera size={18} />
      </ToolButton>
      <ToolButton label={full ? t('fullOff') : t('full')} onClick={props.onFull}>
        {full ? <IconArrowsMinimize size={18} /> : <IconArrowsMaximize size={18} />}
      </ToolButton>
      {!isPopout() && (
        <ToolButton label={t('window')} onClick={() => openPopout(guest, 'vnc')} visibleFrom="sm">
          <IconExternalLink size={18} />
        </ToolButton>
      )}
    </div>
  )
}

function screenshot(rfb: RFB | null, name: string): void {
  rfb?.toBlob((blob) => {
    if (!blob) return
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = `${name}-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.png`
    link.click()
    window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  }, 'image/png')
}

const SPECIAL = [
  ['Ctrl+Alt+Del', [CTRL, ALT, DELETE]],
  ['Tab', [TAB]],
  ['Esc', [ESCAPE]],
  ['Win', [META]],
  ['Alt+Tab', [ALT, TAB]],
  ['Alt+F4', [ALT, functionKey(4)]],
  ['PrtSc', [PRINT]],
] as const

function KeysMenu({ rfb, enabled }: Pick<ToolsProps, 'rfb' | 'enabled'>) {
  const { t } = useTranslation('console')
  return (
    <Menu withinPortal={false} position="bottom-start" disabled={!enabled}>
      <Menu.Target>
        <ToolButton label={t('keys')} disabled={!enabled}>
          <IconCommand size={18} />
        </ToolButton>
      </Menu.Target>
      <Menu.Dropdown mah="60vh" style={{ overflowY: 'auto' }}>
        {SPECIAL.map(([name, keys]) => (
          <Menu.Item key={name} onClick={() => rfb.current && chord(rfb.current, keys)}>
            {name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        {Array.from({ length: 12 }, (_, place) => place + 1).map((number) => (
          <Menu.Item
            key={number}
            onClick={() => rfb.current && chord(rfb.current, [CTRL, ALT, functionKey(number)])}
          >{`Ctrl+Alt+F${number}`}</Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

const SCALINGS = ['fit', 'actual', 'remote'] as const

function ScalingMenu({ scaling, onScaling }: Pick<ToolsProps, 'scaling' | 'onScaling'>) {
  const { t } = useTranslation('console')
  return (
    <Menu withinPortal={false} position="bottom-start">
      <Menu.Target>
        <ToolButton label={t('scaling.label')}>
          <IconZoomScan size={18} />
        </ToolButton>
      </Menu.Target>
      <Menu.Dropdown>
        {SCALINGS.map((each) => (
          <Menu.Item
            key={each}
            role="menuitemradio"
            aria-checked={each === scaling}
            rightSection={each === scaling ? <IconCheck size={14} /> : null}
            onClick={() => onScaling(each)}
          >
            {t(`scaling.${each}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
