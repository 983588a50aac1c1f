import type { FitAddon } from '@xterm/addon-fit'
import type { Terminal as Xterm } from '@xterm/xterm'
import { type RefObject, useCallback, useEffect, useRef } from 'react'
import { type TerminalLook, themeOf } from '@/pages/guests/console/terminalLook'
import { type Link, useLink } from '@/pages/guests/console/useLink'
import { isLeaving } from '@/pages/guests/console/Vnc'
import { aliveFrame, Greeted, greeting, inputFrame, sizeFrame } from '@/pages/guests/console/wire'

const ALIVE_EVERY = 30_000

/** What a terminal session is reached by. */
export interface Session {
  user: string
  ticket: string
  url: string
}

interface Made {
  terminal: Xterm
  fit: FitAddon
}

/** A terminal in `host`, connected while it is wanted. `start` must be stable. */
export function useTerminal(
  host: RefObject<HTMLDivElement | null>,
  wanted: boolean,
  start: (signal: AbortSignal) => Promise<Session>,
  look: TerminalLook,
  onLeave: () => void,
) {
  const made = useRef<Made | null>(null)
  const making = useRef<Promise<Made> | null>(null)
  const socket = useRef<WebSocket | null>(null)
  const latest = useRef({ look, onLeave })
  latest.current = { look, onLeave }

  const terminal = useCallback((): Promise<Made> => {
    const element = host.current
    if (!element) return Promise.reject(new DOMException('gone', 'AbortError'))
    making.current ??= make(element, latest.current.look).then((built) => {
      made.current = built
      wire(built.terminal, socket, () => latest.current.onLeave())
      return built
    })
    return making.current
  }, [host])

  useEffect(
    () => () => {
      void making.current?.then((built) => built.terminal.dispose())
      making.current = null
      made.current = null
    },
    [],
  )
  useFit(host, made)
  useEffect(() => {
    if (!made.current) return
    made.current.terminal.options.fontSize = look.fontSize
    made.current.terminal.options.theme = themeOf(look.theme)
    made.current.fit.fit()
  }, [look])

  const open = useCallback(
    async (signal: AbortSignal): Promise<Link> => {
      const [{ terminal: view }, session] = await Promise.all([terminal(), start(signal)])
      if (signal.aborted) throw new DOMException('not wanted any more', 'AbortError')
      return attach(view, session, socket)
    },
    [terminal, start],
  )
  return { made, ...useLink(wanted, open) }
}

async function make(element: HTMLDivElement, look: TerminalLook): Promise<Made> {
  const [{ Terminal }, { FitAddon }] = await Promise.all([
    import('@xterm/xterm'),
    import('@xterm/addon-fit'),
    import('@xterm/xterm/css/xterm.css'),
  ])
  const terminal = new Terminal({
    screenReaderMode: true,
    cursorBlink: !window.matchMedia('(prefers-reduced-motion: reduce)').matches,
    fontFamily: 'ui-monospace, "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace',
    fontSize: look.fontSize,
    theme: themeOf(look.theme),
    // Rows as high as the letters would cut off what stands below the line.
    lineHeight: 1.15,
    scrollback: 5000,
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  terminal.open(element)
  fit.fit()
  return { terminal, fit }
}

/** What is typed goes to the connection that there is. */
function wire(terminal: Xterm, socket: { current: WebSocket | null }, onLeave: () => void): void {
  const send = (frame: Uint8Array) => {
    if (socket.current?.readyState === WebSocket.OPEN) socket.current.send(frame as Uint8Array<ArrayBuffer>)
  }
  terminal.onData((data) => send(inputFrame(data)))
  terminal.onBinary((data) => send(inputFrame(Uint8Array.from(data, (char) => char.charCodeAt(0)))))
  terminal.onResize(({ cols, rows }) => send(sizeFrame(cols, rows)))
  terminal.attachCustomKeyEventHandler((event) => {
    if (isLeaving(event)) {
      if (event.type === 'keydown') onLeave()
      event.preventDefault()
      return false
    }
    if (event.type !== 'keydown' || !event.ctrlKey || !event.shiftKey) return true
    if (event.code === 'KeyC' && terminal.hasSelection()) {
      void navigator.clipboard.writeText(terminal.getSelection())
      event.preventDefault()
      return false
    }
    return event.code !== 'KeyV' // the browser pastes
  })
}

/** Resolves when the terminal's other end has answered. */
function attach(terminal: Xterm, session: Session, current: { current: WebSocket | null }): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(session.url, 'binary')
    const greeted = new Greeted()
    let timer = 0
    let end: () => void = () => undefined
    const closed = new Promise<void>((over) => {
      end = over
    })
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => socket.send(greeting(session.user, session.ticket) as Uint8Array<ArrayBuffer>)
    socket.onmessage = (message: MessageEvent<ArrayBuffer>) => {
      const before = greeted.done
      const data = greeted.take(new Uint8Array(message.data))
      if (data === null) return socket.close()
      if (!before && greeted.done) {
        current.current = socket
        timer = window.setInterval(() => socket.send(aliveFrame() as Uint8Array<ArrayBuffer>), ALIVE_EVERY)
        socket.send(sizeFrame(terminal.cols, terminal.rows) as Uint8Array<ArrayBuffer>)
        resolve({ closed, close: () => socket.close() })
      }
      if (data.length > 0) terminal.write(data)
    }
    socket.onclose = () => {
      window.clearInterval(timer)
      if (current.current === socket) current.current = null
      end()
      reject(new Error(''))
    }
  })
}

function useFit(host: RefObject<HTMLDivElement | null>, made: RefObject<Made | null>): void {
  useEffect(() => {
    if (!host.current) return
    const observer = new ResizeObserver(() => made.current?.fit.fit())
    observer.observe(host.current)
    return () => observer.disconnect()
  }, [host, made])
}
