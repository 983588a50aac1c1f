import { type ReactNode, useCallback, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { call } from '@/api/client'
import type { Guest } from '@/live/types'
import classes from '@/pages/guests/console/Console.module.css'
import { LinkOverlay } from '@/pages/guests/console/Overlay'
import { isPopout, openPopout } from '@/pages/guests/console/popout'
import { TerminalTools } from '@/pages/guests/console/TerminalTools'
import { themeOf, useTerminalLook } from '@/pages/guests/console/terminalLook'
import { useFullscreen } from '@/pages/guests/console/useFullscreen'
import { type Session, useTerminal } from '@/pages/guests/console/useTerminal'
import { socketUrl } from '@/pages/guests/console/wire'

interface TerminalProps {
  /** What it is a terminal of: its name for screen readers. */
  label: string
  /** Opens a session. Must be stable: another one is another terminal. */
  start: (signal: AbortSignal) => Promise<Session>
  /** False: no connection; `off` says why. */
  wanted?: boolean
  lead?: ReactNode
  /** Said beside the tools while it is connected. */
  hint?: string
  off?: ReactNode
  onWindow?: () => void
}

/** A terminal with its tools, connected again when the connection is lost. */
export function Terminal({ label, start, wanted = true, lead, hint, off, onWindow }: TerminalProps) {
  const whole = useRef<HTMLElement>(null)
  const host = useRef<HTMLDivElement>(null)
  const [look, change] = useTerminalLook()
  const [full, toggleFull] = useFullscreen(whole)
  const { made, phase, retry } = useTerminal(host, wanted, start, look, () =>
    whole.current?.querySelector<HTMLElement>('[role="toolbar"] button, [role="toolbar"] input')?.focus(),
  )
  return (
    <section className={classes.console} ref={whole} aria-label={label}>
      <TerminalTools
        made={made}
        enabled={phase.kind === 'open'}
        look={look}
        onLook={change}
        lead={lead}
        full={full}
        onFull={toggleFull}
        onWindow={onWindow}
        hint={hint}
      />
      <div className={classes.stage} style={{ background: themeOf(look.theme).background }}>
        <div className={classes.terminal} ref={host} />
        {wanted ? <LinkOverlay phase={phase} retry={retry} /> : off}
      </div>
    </section>
  )
}

/** A guest's serial port. */
export function SerialConsole({
  guest,
  port,
  running,
  lead,
  off,
}: {
  guest: Guest
  port?: 'serial0' | 'serial1' | 'serial2' | 'serial3'
  running: boolean
  lead?: ReactNode
  off?: ReactNode
}) {
  const { t } = useTranslation('console')
  const { node, vmid } = guest
  const start = useCallback(
    async (signal: AbortSignal): Promise<Session> => {
      const params = { node, vmid, ...(port ? { serial: port } : {}) }
      const session = await call('POST /nodes/{node}/qemu/{vmid}/termproxy', params, { signal })
      return { ...session, url: socketUrl(`/nodes/${node}/qemu/${vmid}`, session) }
    },
    [node, vmid, port],
  )
  return (
    <Terminal
      label={t('serialOf', { name: guest.name })}
      start={start}
      wanted={running}
      lead={lead}
      hint={t('pressEnter')}
      off={off}
      onWindow={isPopout() ? undefined : () => openPopout(guest, 'serial')}
    />
  )
}

/** A shell on a node. */
export function NodeShell({ node, lead }: { node: string; lead?: ReactNode }) {
  const { t } = useTranslation('console')
  const start = useCallback(
    async (signal: AbortSignal): Promise<Session> => {
      const session = await call('POST /nodes/{node}/termproxy', { node }, { signal })
      return { ...session, url: socketUrl(`/nodes/${node}`, session) }
    },
    [node],
  )
  return <Terminal label={t('shellOf', { node })} start={start} lead={lead} />
}
