import { sessionState } from '@/api/session'
import { inventory } from '@/live/inventory'
import type { Guest } from '@/live/types'
import { fits, power } from '@/shell/guest'
import type { Hit, Stack } from '@/shell/search/finder'
import { fuzzy } from '@/shell/search/fuzzy'
import { type Command, commandName, verbIn } from '@/shell/search/verbs'

const MOST = 5
/** So many of the guests that are found are tried for the command. */
const LOOKED_AT = 60

const suits = (guest: Guest, command: Command): boolean =>
  command === 'console' ? !guest.template : fits(guest, command)

/** Whether the user may do so to any guest; to which, the API decides. */
function may(command: Command): boolean {
  const now = sessionState()
  const privilege = command === 'console' ? 'VM.Console' : 'VM.PowerMgmt'
  return now.kind === 'open' && now.session.cap.vms?.[privilege] === 1
}

/** What a text like `start web` asks for, of what can be done now. */
export function commandHits(text: string, guests: Stack, openConsole: (vmid: number) => void): Hit[] {
  const asked = verbIn(text)
  if (!asked) return []
  const found = fuzzy(guests.texts, asked.rest).slice(0, LOOKED_AT)
  const hits: Hit[] = []
  for (const command of asked.verbs.filter(may)) {
    for (const at of found) {
      if (hits.length >= MOST) return hits
      const vmid = Number(guests.hit(at).ref?.slice('guest/'.length))
      const guest = inventory.get().guests.get(vmid)
      if (!guest || !suits(guest, command)) continue
      const run = () => (command === 'console' ? openConsole(vmid) : power(guest, command))
      const title = `${commandName(command)} ${vmid} ${guest.name}`
      hits.push({ id: `${command}/${vmid}`, group: 'actions', title, more: guest.node, run })
    }
  }
  return hits
}
