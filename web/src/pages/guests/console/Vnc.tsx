import type RFB from '@novnc/novnc'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Guest } from '@/live/types'
import classes from '@/pages/guests/console/Console.module.css'
import { LinkOverlay } from '@/pages/guests/console/Overlay'
import { ScreenKeyboard } from '@/pages/guests/console/ScreenKeyboard'
import { useFullscreen } from '@/pages/guests/console/useFullscreen'
import { type Scaling, scale, useVnc } from '@/pages/guests/console/useVnc'
import { VncTools } from '@/pages/guests/console/VncTools'

const SCALING = 'corral.console.scaling'

/** Keys that leave the screen: all others are the guest's. */
export const isLeaving = (event: KeyboardEvent): boolean =>
  event.ctrlKey && event.altKey && !event.shiftKey && event.code === 'KeyG'

/** A guest's display with its tools. `lead` and `off` come from what is around: the choice of console, a stopped guest. */
export function Vnc({
  guest,
  running,
  lead,
  off,
}: {
  guest: Guest
  running: boolean
  lead: ReactNode
  off: ReactNode
}) {
  const { t } = useTranslation('console')
  const whole = useRef<HTMLElement>(null)
  const host = useRef<HTMLDivElement>(null)
  const typing = useRef<HTMLTextAreaElement>(null)
  const [clipboard, setClipboard] = useState('')
  const [scaling, setScaling] = useState<Scaling>(() => (localStorage.getItem(SCALING) as Scaling) || 'fit')
  const [full, toggleFull] = useFullscreen(whole)
  const { rfb, phase, retry } = useVnc(guest, host, running, {
    onClipboard: setClipboard,
    onOpen: (client) => opened(client, scaling, t('screen', { name: guest.name })),
  })
  useLeaving(host, whole, rfb)
  function rescale(next: Scaling): void {
    setScaling(next)
    localStorage.setItem(SCALING, next)
    if (rfb.current) scale(rfb.current, next)
  }
  return (
    <section className={classes.console} ref={whole} aria-label={t('display', { name: guest.name })}>
      <VncTools
        guest={guest}
        rfb={rfb}
        enabled={phase.kind === 'open'}
        lead={lead}
        clipboard={clipboard}
        scaling={scaling}
        onScaling={rescale}
        full={full}
        onFull={toggleFull}
        onKeyboard={() => typing.current?.focus()}
      />
      <div className={classes.stage}>
        <div className={classes.screen} ref={host} />
        <ScreenKeyboard ref={typing} rfb={rfb} />
        {running ? <LinkOverlay phase={phase} retry={retry} /> : off}
      </div>
    </section>
  )
}

function opened(client: RFB, scaling: Scaling, name: string): void {
  scale(client, scaling)
  // A phone's keyboard would cover half of the screen: there it comes when it is asked for.
  if (!window.matchMedia('(pointer: coarse)').matches && document.activeElement === document.body) client.focus()
  for (const canvas of document.querySelectorAll<HTMLCanvasElement>(`.${classes.screen} canvas`)) {
    canvas.tabIndex = 0
    canvas.setAttribute('role', 'application')
    canvas.setAttribute('aria-label', name)
  }
}

/** The way out of the screen by keyboard: back to the tools. */
function useLeaving(
  host: { current: HTMLElement | null },
  whole: { current: HTMLElement | null },
  rfb: { current: RFB | null },
): void {
  useEffect(() => {
    const element = host.current
    const leave = (event: KeyboardEvent) => {
      if (!isLeaving(event)) return
      event.preventDefault()
      event.stopPropagation()
      rfb.current?.blur()
      whole.current?.querySelector<HTMLElement>('[role="toolbar"] button, [role="toolbar"] input')?.focus()
    }
    element?.addEventListener('keydown', leave, { capture: true })
    return () => element?.removeEventListener('keydown', leave, { capture: true })
  }, [host, whole, rfb])
}
