import type { Guest } from '@/live/types'

/** The console in a window of its own, without the frame around it. */
export function openPopout(guest: Pick<Guest, 'vmid'>, kind?: string): void {
  const query = new URLSearchParams({ popout: '1', ...(kind ? { kind } : {}) })
  window.open(
    `/guests/${guest.vmid}/console?${query}`,
    `corral-console-${guest.vmid}`,
    'popup,width=1060,height=860,noopener=no',
  )
}

/** Whether this is such a window. */
export const isPopout = (): boolean => new URLSearchParams(window.location.search).has('popout')
