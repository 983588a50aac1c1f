/** What a file's name tells of the system in it. */

export type OsType = 'l26' | 'win11' | 'win10' | 'win8' | 'other'

const WINDOWS = /(^|[^a-z])win(dows)?[^a-z]|server[-_]?20\d\d|_server_|sw_dvd/i
const NEWEST = /win(dows)?[-_. ]?(server[-_. ]?)?(11|2022|2025)|server[-_]?20(22|25)|client_11/i
const OTHER = /bsd|opnsense|pfsense|reactos|haiku|solaris|omnios|freedos|memtest|temple/i

export function osOf(filename: string): OsType {
  if (OTHER.test(filename)) return 'other'
  if (NEWEST.test(filename)) return 'win11'
  if (/virtio-win/i.test(filename)) return 'l26' // drivers, not a system
  return WINDOWS.test(filename) ? 'win10' : 'l26'
}

export const isWindows = (os: string): boolean => os.startsWith('win')

/** Whether an image expects to be told its user and network by cloud-init. */
export const isCloudImage = (filename: string): boolean => /cloud(?!n)|genericcloud|cloudimg|cloudinit/i.test(filename)

const NOISE =
  /^(generic(cloud)?|cloudimg|cloud(init)?|base|minimal|live|server|netinst|disc\d|dvd\d?|bios|uefi|latest|r\d+|amd64|x64|x86|64)$/

/** A guest's name that says what is in it: `debian-13` for `debian-13-genericcloud-amd64.qcow2`. */
export function nameOf(filename: string): string {
  const words = filename
    .replace(/\.(iso|img|qcow2|raw|vmdk|ova|tar.*)$/i, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word && !NOISE.test(word))
  return words.join('-').slice(0, 40).replace(/-+$/, '') || 'vm'
}

/** The name, or the first of `name-2`, `name-3` … that no other guest has. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name
  for (let number = 2; ; number += 1) if (!taken.has(`${name}-${number}`)) return `${name}-${number}`
}
