/**
 * The texts of all guests, made in small pieces while nothing else is to be done, and again only for guests whose names,
 * tags or places have changed.
 */
import { inventory } from '@/live/inventory'
import type { Guest } from '@/live/types'
import { guestHit, type Stack, textOf } from '@/shell/search/finder'

const PIECE = 1500

let texts: string[] = []
let order: readonly number[] = []
let shape = -1
let busy = 0
const known = new Map<number, { key: readonly unknown[]; text: string }>()

function text(guest: Guest): string {
  const key = [guest.name, guest.tags, guest.node, guest.pool]
  const before = known.get(guest.vmid)
  if (before?.key.every((part, at) => part === key[at])) return before.text
  const made = textOf(guest)
  known.set(guest.vmid, { key, text: made })
  return made
}

const idle = (work: () => void): number =>
  typeof requestIdleCallback === 'function'
    ? requestIdleCallback(work, { timeout: 1000 })
    : Number(setTimeout(work, 30))

function build(at: number, made: string[], list: readonly Guest[], wanted: number): void {
  for (const guest of list.slice(at, at + PIECE)) made.push(text(guest))
  if (at + PIECE < list.length) {
    busy = idle(() => build(at + PIECE, made, list, wanted))
    return
  }
  texts = made
  order = list.map((guest) => guest.vmid)
  shape = wanted
  busy = 0
  if (inventory.get().shape !== shape) follow()
}

/** Bring the texts up to date, in pieces. */
export function follow(): void {
  const now = inventory.get()
  if (busy || now.shape === shape || !now.ready) return
  busy = idle(() => build(0, [], now.guestList, now.shape))
}

/** All guests, to be searched now: what no piece has been made of yet is made at once. */
export function guestStack(): Stack {
  const now = inventory.get()
  if (now.shape !== shape) {
    texts = now.guestList.map(text)
    order = now.guestList.map((guest) => guest.vmid)
    shape = now.shape
  }
  return {
    texts,
    hit: (at) => {
      const vmid = order[at] ?? 0
      const guest = inventory.get().guests.get(vmid)
      return guest ? guestHit(guest) : { id: `guest/${vmid}`, group: 'guests', title: String(vmid) }
    },
  }
}

inventory.subscribe(follow)
follow()
