/** Records as people call them. */
import i18next from 'i18next'
import { useGuest } from '@/live/inventory'

const NAMED = [
  'storage.cfg',
  'user.cfg',
  'token.cfg',
  'shadow.cfg',
  'tfa.cfg',
  'domains.cfg',
  'datacenter.cfg',
] as const
type Named = (typeof NAMED)[number]

const FILES: Record<Named, string> = {
  'storage.cfg': 'storage',
  'user.cfg': 'users',
  'token.cfg': 'tokens',
  'shadow.cfg': 'passwords',
  'tfa.cfg': 'factors',
  'domains.cfg': 'realms',
  'datacenter.cfg': 'datacenter',
}

/** `guest/100` → 100. */
export function vmidOf(key: string): number | undefined {
  const found = /^guest\/(\d+)$/.exec(key)
  return found ? Number(found[1]) : undefined
}

/** What a record is, in words: `VM 100 web`, `Permissions`; its key where there is no better name. */
export function recordName(key: string, guestName = ''): string {
  const vmid = vmidOf(key)
  if (vmid !== undefined) {
    const name = guestName === `VM ${vmid}` ? '' : guestName
    return i18next.t('plan:file.guest', { vmid, name }).trim()
  }
  if (key.startsWith('node/')) return i18next.t('plan:file.node', { node: key.slice(5) })
  const named = FILES[key as Named]
  return named ? i18next.t(`plan:file.${named}` as never) : key
}

export interface FileTitle {
  title: string
  path: string
}

/** A record's name and the path of its file. `text`: its new text, for a guest that isn't there yet; `node`: its node. */
export function useFileTitle(
  key: string,
  known: { path?: string; text?: string | null; node?: string } = {},
): FileTitle {
  const vmid = vmidOf(key)
  const guest = useGuest(vmid ?? 0)
  const name = guest?.name ?? /^name: (.+)$/m.exec(known.text ?? '')?.[1] ?? ''
  const node = guest?.node ?? known.node
  const own = vmid !== undefined && node ? `nodes/${node}/qemu-server/${vmid}.conf` : plainPath(key)
  return { title: recordName(key, name), path: known.path ?? own }
}

function plainPath(key: string): string {
  if (key.startsWith('node/')) return `nodes/${key.slice(5)}/config`
  return key === 'shadow.cfg' || key === 'token.cfg' || key === 'tfa.cfg' ? `priv/${key}` : key
}
