import type RFB from '@novnc/novnc'
import { type RefObject, useCallback, useRef } from 'react'
import { call } from '@/api/client'
import type { Guest } from '@/live/types'
import { type Link, useLink } from '@/pages/guests/console/useLink'
import { socketUrl } from '@/pages/guests/console/wire'

export type Scaling = 'fit' | 'actual' | 'remote'

export function scale(rfb: RFB, scaling: Scaling): void {
  rfb.scaleViewport = scaling !== 'actual'
  rfb.resizeSession = scaling === 'remote'
  rfb.clipViewport = false
}

export interface VncEvents {
  onClipboard: (text: string) => void
  onOpen: (rfb: RFB) => void
}

/** A guest's display in `host`, as long as the guest runs. */
export function useVnc(guest: Guest, host: RefObject<HTMLDivElement | null>, wanted: boolean, events: VncEvents) {
  const { node, vmid } = guest
  const rfb = useRef<RFB | null>(null)
  const latest = useRef(events)
  latest.current = events
  const open = useCallback(
    async (signal: AbortSignal): Promise<Link> => {
      const [{ default: Client }, session] = await Promise.all([
        import('@novnc/novnc'),
        call('POST /nodes/{node}/qemu/{vmid}/vncproxy', { node, vmid, websocket: true }, { signal }),
      ])
      const element = host.current
      if (!element || signal.aborted) throw new DOMException('not wanted any more', 'AbortError')
      const url = socketUrl(`/nodes/${node}/qemu/${vmid}`, session)
      const client = new Client(element, url, { credentials: { password: session.password ?? session.ticket } })
      rfb.current = client
      return connected(client, latest, () => {
        if (rfb.current === client) rfb.current = null
      })
    },
    [node, vmid, host],
  )
  return { rfb, ...useLink(wanted, open) }
}

/** Resolves when the display is there. */
function connected(client: RFB, latest: { current: VncEvents }, onClosed: () => void): Promise<Link> {
  return new Promise((resolve, reject) => {
    let end: () => void = () => undefined
    const closed = new Promise<void>((done) => {
      end = done
    })
    let over = false
    client.background = 'transparent'
    client.addEventListener('connect', () => {
      latest.current.onOpen(client)
      resolve({ closed, close: () => !over && client.disconnect() })
    })
    client.addEventListener('disconnect', () => {
      over = true
      onClosed()
      end()
      reject(new Error(''))
    })
    client.addEventListener('securityfailure', (event) => {
      reject(new Error((event as CustomEvent<{ reason?: string }>).detail.reason ?? ''))
    })
    client.addEventListener('clipboard', (event) => {
      latest.current.onClipboard((event as CustomEvent<{ text: string }>).detail.text)
    })
  })
}
