/** What a file is, by its name and its first bytes, and under which name a storage keeps it. */

export type FileContent = 'iso' | 'vztmpl' | 'import'

/** The first bytes that `recognise` needs: an ISO image says so at 32 KiB. */
export const HEAD = 33 * 1024

const ascii = (bytes: Uint8Array, from: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(from, from + length))

type Magic = 'qcow2' | 'vmdk' | 'iso' | 'tar' | ''

export function magic(head: Uint8Array): Magic {
  if (ascii(head, 0, 4) === 'QFI\xfb') return 'qcow2'
  if (ascii(head, 0, 4) === 'KDMV') return 'vmdk'
  if (ascii(head, 0x8001, 5) === 'CD001') return 'iso'
  if (ascii(head, 257, 5) === 'ustar') return 'tar'
  return ''
}

/** The name that the storage keeps: no directories, nothing but plain characters. */
export const keptName = (name: string): string =>
  (name.trim().split(/[/\\]/).pop() ?? '').replace(/[^A-Za-z0-9_.\-+=]/g, '_')

const NAMES: Record<FileContent, RegExp> = {
  iso: /.\.(iso|img)$/i,
  vztmpl: /.\.tar(\.(gz|xz|zst|bz2))?$/i,
  import: /.\.(qcow2|raw|vmdk|ova)$/i,
}

/** Whether a storage takes a file of this name as this content. */
export const fits = (content: FileContent, name: string): boolean => NAMES[content].test(name)

export interface Recognised {
  content: FileContent
  filename: string
}

/**
 * What a file should become. `.img` may be anything: what is in it decides, and a disk image gets the ending of its format.
 * Undefined for what no storage takes.
 */
export function recognise(name: string, head: Uint8Array = new Uint8Array()): Recognised | undefined {
  const filename = keptName(name)
  const stem = filename.replace(/\.(img|bin)$/i, '')
  const found = magic(head)
  if (fits('import', filename)) return { content: 'import', filename }
  if (found === 'qcow2' || found === 'vmdk') return { content: 'import', filename: `${stem}.${found}` }
  if (fits('vztmpl', filename)) return { content: 'vztmpl', filename }
  if (/\.iso$/i.test(filename)) return { content: 'iso', filename }
  if (found === 'iso') return { content: 'iso', filename: `${stem}.iso` }
  if (/\.img$/i.test(filename)) return { content: 'import', filename: head.length ? `${stem}.raw` : `${stem}.qcow2` }
  return undefined
}

const SUMS: Record<number, 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'> = {
  32: 'md5',
  40: 'sha1',
  56: 'sha224',
  64: 'sha256',
  96: 'sha384',
  128: 'sha512',
}

/** The algorithm that makes checksums of this length; undefined for what is none. */
export function algorithmOf(checksum: string): (typeof SUMS)[number] | undefined {
  const plain = checksum.trim()
  return /^[0-9a-f]+$/i.test(plain) ? SUMS[plain.length] : undefined
}
