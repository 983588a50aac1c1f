/** The history's rows, in days and words. Pure. */
import type { Operation, Result } from '@/api/client'
import { type OptionChange, optionChanges } from '@/plan/options'

export type Rows = Result<'GET /cluster/history'>
export type Row = Rows['rows'][number]
export type Details = Result<'GET /cluster/history/{revision}'>

/** Which changes are looked at. `from` and `to` are days, `2026-11-23`. */
export interface Filters {
  user?: string
  vmid?: number
  /** A file's path, or a record's key. */
  path?: string
  from?: string
  to?: string
}

/** The parameters of `GET /cluster/history` for these filters; days are the browser's. */
export function asked({ user, vmid, path, from, to }: Filters): {
  user?: string
  vmid?: number
  path?: string
  since?: number
  until?: number
} {
  const since = from ? dayStart(from) : undefined
  const until = to ? dayStart(to) : undefined
  return {
    ...(user ? { user } : {}),
    ...(vmid ? { vmid } : {}),
    ...(path && !vmid ? { path } : {}),
    ...(since ? { since } : {}),
    ...(until ? { until: until + 86399 } : {}),
  }
}

function dayStart(day: string): number | undefined {
  const seconds = new Date(`${day}T00:00:00`).getTime() / 1000
  return Number.isFinite(seconds) ? seconds : undefined
}

export interface Day {
  /** `2026-11-23`, in the browser's time zone. */
  day: string
  rows: Row[]
}

export function dayOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** Rows as they come, newest first, by day. */
export function byDay(rows: readonly Row[]): Day[] {
  const days: Day[] = []
  for (const row of rows) {
    const day = dayOf(row.time)
    const last = days.at(-1)
    if (last?.day === day) last.rows.push(row)
    else days.push({ day, rows: [row] })
  }
  return days
}

/** Why something was changed. */
export type Reason =
  | { kind: 'task'; upid: string; type: string }
  | { kind: 'call'; operation: Operation }
  | { kind: 'revert'; revision: string }
  | { kind: 'other'; text: string }

export function reasonOf(why: string): Reason {
  if (why.startsWith('UPID:')) return { kind: 'task', upid: why, type: why.split(':')[5] ?? '' }
  const reverted = /^revert of revision (\d+\.\d+)/.exec(why)
  if (reverted) return { kind: 'revert', revision: reverted[1] ?? '' }
  if (/^(POST|PUT|DELETE) \/\S*$/.test(why)) return { kind: 'call', operation: why as Operation }
  return { kind: 'other', text: why }
}

/** `anna.lee@pve` → `AL`, `root@pam!ci` → `RO`. */
export function initials(user: string): string {
  const [name = ''] = user.split('@')
  const [first = '', second = ''] = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean)
  return (second ? `${first[0] ?? ''}${second[0] ?? ''}` : first.slice(0, 2)).toUpperCase() || '?'
}

/** The rows that are newer than all known ones. */
export function newer(known: readonly Row[], fresh: readonly Row[]): Row[] {
  const there = new Set(known.map((row) => row.revision))
  return fresh.filter((row) => !there.has(row.revision))
}

/** All options that a revision changed, with the record of each. */
export function changedIn(details: Details): (OptionChange & { key: string })[] {
  return details.records.flatMap((record) =>
    (record.diff ? (optionChanges(record.key, record.diff) ?? []) : []).map((change) => ({
      ...change,
      key: record.key,
    })),
  )
}

/** What is drawn of itself and tells nobody anything. */
const NOISE = new Set(['digest', 'meta', 'vmgenid', 'smbios1', 'lock'])
const SHORT = 28

/** Changed options in a line: `memory: 2048 → 4096`; the values of long ones are left to the difference. */
export function sayChanges(changes: readonly OptionChange[], limit = 3): { texts: string[]; more: number } {
  const told = changes.filter((change) => !NOISE.has(change.name))
  const texts = told.slice(0, limit).map(({ section, name, before, after }) => {
    const label = section ? `${section} ${name}` : name
    const long = [before, after].some((value) => value !== undefined && (value.length > SHORT || value.includes('\n')))
    if (long) return before === undefined ? `+ ${label}` : after === undefined ? `− ${label}` : label
    if (before === undefined) return after ? `+ ${label}: ${after}` : `+ ${section || name}`
    return after === undefined ? `− ${label}` : `${label}: ${before} → ${after}`
  })
  return { texts, more: Math.max(0, told.length - limit) }
}

// --- the tree of files ----------------------------------------------------------------------------------------------

export interface Branch {
  /** The whole path. */
  path: string
  name: string
  children?: Branch[]
}

/** Paths as a tree; directories first. */
export function treeOf(paths: readonly string[]): Branch[] {
  const root: Branch = { path: '', name: '', children: [] }
  for (const path of paths) {
    let place = root
    const parts = path.split('/')
    parts.forEach((name, depth) => {
      const whole = parts.slice(0, depth + 1).join('/')
      const children = place.children ?? []
      place.children = children
      let next = children.find((child) => child.name === name && depth < parts.length - 1 === !!child.children)
      if (!next) {
        next = { path: whole, name, ...(depth < parts.length - 1 ? { children: [] } : {}) }
        children.push(next)
      }
      place = next
    })
  }
  return sorted(root.children ?? [])
}

const sorted = (branches: Branch[]): Branch[] =>
  branches
    .map((branch) => (branch.children ? { ...branch, children: sorted(branch.children) } : branch))
    .sort((a, b) => Number(!a.children) - Number(!b.children) || a.name.localeCompare(b.name, 'en', { numeric: true }))

// --- the URL --------------------------------------------------------------------------------------------------------

export type View = 'changes' | 'then' | 'blame'

/** What the URL says of a history. Revisions are written `r1.20`: a number would lose its zero. */
export interface Place extends Filters {
  view: View
  revision?: string
  /** As of a revision, or of a moment (`2026-11-23T17:00`). */
  at?: string
  when?: string
  file?: string
}

const said = (value: unknown): string | undefined => (value === undefined || value === '' ? undefined : String(value))
const revisionIn = (value: unknown): string | undefined => /^r(\d+\.\d+)$/.exec(said(value) ?? '')?.[1]

export function placeOf(search: Record<string, unknown>): Place {
  const guest = Number(search.guest)
  return {
    view: search.view === 'then' || search.view === 'blame' ? search.view : 'changes',
    user: said(search.user),
    vmid: Number.isInteger(guest) && guest >= 100 ? guest : undefined,
    path: said(search.path),
    from: said(search.from),
    to: said(search.to),
    revision: revisionIn(search.revision),
    at: revisionIn(search.at),
    when: said(search.when),
    file: said(search.file),
  }
}

export function searchOf({ view, vmid, revision, at, ...rest }: Place): Record<string, unknown> {
  return {
    ...rest,
    view: view === 'changes' ? undefined : view,
    guest: vmid,
    revision: revision && `r${revision}`,
    at: at && `r${at}`,
  }
}
