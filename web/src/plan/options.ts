/** Changed files as changed options: `memory: 2048 → 4096` is what people want to know of a plan. Pure. */
import type { PlanWrite } from '@/api/client'
import { type Hunk, linesOf, parseDiff, unapply } from '@/ui/diff'

/** One option's values; one that is undefined was, or will be, not there. `section`: of the file, '' for its main part. */
export interface OptionChange {
  section: string
  name: string
  before?: string
  after?: string
}

type Items = Map<string, string>
type Read = (lines: readonly string[]) => Items

const SEPARATOR = '\u0000'
const id = (section: string, name: string): string => `${section}${SEPARATOR}${name}`

/** `name: value`, `[section]`, and a description in lines that begin with `#`. */
function readGuest(lines: readonly string[]): Items {
  const items: Items = new Map()
  let section = ''
  for (const line of lines) {
    const header = /^\[(.+)\]\s*$/.exec(line)
    const option = /^([^\s:#]+):\s*(.*)$/.exec(line)
    if (header) section = header[1] ?? ''
    else if (line.startsWith('#')) {
      const known = items.get(id(section, 'description'))
      const text = safeDecode(line.slice(1))
      items.set(id(section, 'description'), known === undefined ? text : `${known}\n${text}`)
    } else if (option) items.set(id(section, option[1] ?? ''), option[2] ?? '')
  }
  return items
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `type: name` and below it, indented, `option value`. */
function readSections(lines: readonly string[]): Items {
  const items: Items = new Map()
  let section = ''
  for (const line of lines) {
    const header = /^(\S+):\s*(\S+)\s*$/.exec(line)
    const option = /^\s+(\S+)(?:\s+(.*))?$/.exec(line)
    if (header) {
      section = header[2] ?? ''
      items.set(id(section, 'type'), header[1] ?? '')
    } else if (option) items.set(id(section, option[1] ?? ''), option[2] ?? '')
  }
  return items
}

const ENTRIES: Record<string, readonly string[]> = {
  user: ['enable', 'expire', 'firstname', 'lastname', 'email', 'comment', 'keys'],
  group: ['users', 'comment'],
  role: ['privs'],
  pool: ['comment', 'vms', 'storage'],
  token: ['expire', 'privsep', 'comment'],
}

/** `kind:name:value:value:…`; what an ACL entry is about is all of it. */
function readEntries(lines: readonly string[]): Items {
  const items: Items = new Map()
  for (const line of lines) {
    const [kind = '', name = '', ...values] = line.split(':')
    if (kind === 'acl') {
      const [path = '', who = '', roles = ''] = values
      for (const each of who.split(',')) {
        const key = id(`acl ${path}`, each)
        const said = `${roles}${name === '0' ? ' (not below)' : ''}`
        items.set(key, items.has(key) ? `${items.get(key)}, ${said}` : said)
      }
    } else if (ENTRIES[kind]) {
      ENTRIES[kind].forEach((option, place) => {
        const value = values[place] ?? ''
        if ((value !== '' && !(option === 'expire' && value === '0')) || place === 0)
          items.set(id(`${kind} ${name}`, option), value)
      })
    }
  }
  return items
}

/** How the options of a record are read; undefined where a text has none. */
export function readerOf(key: string): Read | undefined {
  if (/^(guest|node)\/[^/]+$/.test(key) || key === 'datacenter.cfg') return readGuest
  if (/^(storage|domains|jobs)\.cfg$/.test(key)) return readSections
  if (key === 'user.cfg') return readEntries
  return undefined
}

/** Options that differ, in order of their names, the file's main part first. */
export function differences(old: Items, fresh: Items): OptionChange[] {
  const found: OptionChange[] = []
  for (const key of new Set([...old.keys(), ...fresh.keys()])) {
    const [section = '', name = ''] = key.split(SEPARATOR)
    if (old.get(key) !== fresh.get(key)) found.push({ section, name, before: old.get(key), after: fresh.get(key) })
  }
  return found.sort((a, b) => a.section.localeCompare(b.section) || natural(a.name, b.name))
}

const natural = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true })

/** The lines of a diff as they were and as they will be; all that is known without the file. */
function sides(hunks: readonly Hunk[]): [string[], string[]] {
  const all = hunks.flatMap((hunk) => hunk.lines)
  return [
    all.filter((line) => line.kind !== 'add').map((line) => line.text),
    all.filter((line) => line.kind !== 'remove').map((line) => line.text),
  ]
}

/** The options that a diff changes; null for a file without options. With the text after it, sections are known too. */
export function optionChanges(key: string, diff: string, after?: string | null): OptionChange[] | null {
  const read = readerOf(key)
  if (!read) return null
  const hunks = parseDiff(diff)
  const [old, fresh] = typeof after === 'string' ? [linesOf(unapply(after, hunks)), linesOf(after)] : sides(hunks)
  return differences(read(old), read(fresh))
}

/** The options that a plan's write changes. */
export const writtenOptions = (write: PlanWrite): OptionChange[] | null =>
  write.diff === undefined ? null : optionChanges(write.key, write.diff, write.text)

/** The beginning of a long value: a few lines, not too much of each; the value itself if it is short. */
export function beginning(value: string, lines = 5, chars = 300): string {
  const begin = value.split('\n').slice(0, lines).join('\n').slice(0, chars)
  return begin.length + 40 < value.length ? begin : value
}
