/** A guest's state in one word, and the calls that start and end one. */
import i18next from 'i18next'
import type { Guest } from '@/live/types'
import { act } from '@/ui/act'

/** `running`, `stopped`, or QEMU's own word where it says more (`paused`). */
export function wordOf(guest: Guest): string {
  if (guest.status !== 'running') return guest.status
  return guest.qmpstatus && guest.qmpstatus !== 'running' ? guest.qmpstatus : 'running'
}

export const VERBS = ['start', 'shutdown', 'stop', 'reboot', 'resume', 'suspend'] as const
export type Verb = (typeof VERBS)[number]

/** Whether a verb makes sense for a guest as it is. */
export function fits(guest: Guest, verb: Verb): boolean {
  if (guest.template || guest.type !== 'qemu') return false
  const word = wordOf(guest)
  if (verb === 'start') return word === 'stopped'
  if (verb === 'resume') return guest.status === 'running' && word !== 'running'
  if (verb === 'stop') return guest.status === 'running'
  return word === 'running'
}

/** Do it; a toast follows the task. */
export function power(guest: Guest, verb: Verb): void {
  const title = `${i18next.t(`shell:verbs.${verb}`)}: ${guest.name}`
  void act(title, `POST /nodes/{node}/qemu/{vmid}/status/${verb}`, { node: guest.node, vmid: guest.vmid })
}
