/** The privileges by area, in the order of the checklist. What the API knows beyond these is shown under its own prefix. */
import type { en } from '@/locales/en'

type Described = keyof (typeof en)['access']['privilege']

/** `VM.Config.Disk` → `VM`. */
export const areaOf = (privilege: string): string => {
  const [first = ''] = privilege.split('.')
  return ['Group', 'Realm', 'User', 'Permissions'].includes(first) ? 'Access' : first
}

const ORDER = ['VM', 'Datastore', 'Pool', 'Sys', 'Access', 'SDN', 'Mapping']

/** Privileges under their areas, both in order. */
export function byArea(privileges: Iterable<string>): [area: string, privileges: string[]][] {
  const areas = new Map<string, string[]>()
  for (const privilege of [...privileges].sort()) {
    const area = areaOf(privilege)
    areas.set(area, [...(areas.get(area) ?? []), privilege])
  }
  const place = (area: string) => (ORDER.indexOf(area) + 1 || ORDER.length + 1) - 1
  return [...areas].sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1))
}

/** Dots part keys of catalogues. */
export const keyOf = (privilege: string): `privilege.${Described}` =>
  `privilege.${privilege.replaceAll('.', '-') as Described}`
