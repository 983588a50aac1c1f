/** What a guest's agent answers, as values. It is another machine's word: nothing of it is taken for granted. */

type Row = Record<string, unknown>

export const resultOf = (answer: unknown): unknown => (answer as { result?: unknown } | undefined)?.result
const rows = (answer: unknown): Row[] => {
  const list = resultOf(answer)
  return Array.isArray(list) ? list.filter((each): each is Row => typeof each === 'object' && each !== null) : []
}
const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value))
const count = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

export interface FileSystem {
  mountpoint: string
  type: string
  device: string
  used?: number
  total?: number
}

export function fileSystemsOf(answer: unknown): FileSystem[] {
  return rows(answer)
    .map((row) => ({
      mountpoint: text(row.mountpoint),
      type: text(row.type),
      device: text(row.name),
      used: count(row['used-bytes']),
      total: count(row['total-bytes']),
    }))
    .sort((a, b) => a.mountpoint.localeCompare(b.mountpoint))
}

export interface User {
  user: string
  domain: string
  since?: number
}

export const usersOf = (answer: unknown): User[] =>
  rows(answer).map((row) => ({ user: text(row.user), domain: text(row.domain), since: count(row['login-time']) }))

export interface Interface {
  name: string
  mac: string
  addresses: string[]
}

export const interfacesOf = (answer: unknown): Interface[] =>
  rows(answer).map((row) => ({
    name: text(row.name),
    mac: text(row['hardware-address']),
    addresses: Array.isArray(row['ip-addresses'])
      ? (row['ip-addresses'] as Row[]).map((each) => `${text(each['ip-address'])}/${text(each.prefix)}`)
      : [],
  }))

/** The agent's clock: nanoseconds since 1970. */
export const secondsOf = (answer: unknown): number | undefined => {
  const value = resultOf(answer)
  return typeof value === 'number' ? value / 1e9 : undefined
}

export function systemOf(answer: unknown): { name: string; kernel: string; machine: string } {
  const row = (resultOf(answer) ?? {}) as Row
  return {
    name: text(row['pretty-name']) || text(row.name),
    kernel: [text(row['kernel-release']), text(row['kernel-version'])].filter(Boolean).join(' '),
    machine: text(row.machine),
  }
}

export const hostNameOf = (answer: unknown): string => text(((resultOf(answer) ?? {}) as Row)['host-name'])
export const zoneOf = (answer: unknown): string => text(((resultOf(answer) ?? {}) as Row).zone)
export const versionOf = (answer: unknown): string => text(((resultOf(answer) ?? {}) as Row).version)
