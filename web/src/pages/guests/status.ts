import { useEffect, useRef } from 'react'
import { refresh, useApi } from '@/api/query'
import type { Guest } from '@/live/types'

/** What a guest does: `suspended` is on disk, `paused` in memory. */
export type Power = 'running' | 'paused' | 'suspended' | 'stopped' | 'unknown'

/** What the buttons go by, from what the inventory knows and, if it is there, what QEMU says. */
export function powerOf(guest: Pick<Guest, 'status' | 'qmpstatus' | 'lock'>, qmpstatus?: string): Power {
  if (guest.status === 'paused') return 'paused'
  if (guest.status === 'running') {
    const word = guest.qmpstatus ?? qmpstatus
    return word === 'paused' || word === 'suspended' || word === 'prelaunch' ? 'paused' : 'running'
  }
  if (guest.status === 'stopped') return guest.lock === 'suspended' ? 'suspended' : 'stopped'
  return 'unknown'
}

/** QEMU's own word on a guest, asked again when the guest has started, stopped or paused. */
export function useCurrent(guest: Guest) {
  const params = { node: guest.node, vmid: guest.vmid }
  const state = `${guest.status} ${guest.qmpstatus ?? ''}`
  const seen = useRef(state)
  const answer = useApi('GET /nodes/{node}/qemu/{vmid}/status/current', params, { enabled: guest.type === 'qemu' })
  useEffect(() => {
    if (seen.current === state) return
    seen.current = state
    void refresh('GET /nodes/{node}/qemu/{vmid}/status/current', { node: guest.node, vmid: guest.vmid })
  }, [state, guest.node, guest.vmid])
  return answer
}
