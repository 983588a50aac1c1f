/** What cloud-init is told, as values. */
import { partOf } from '@/pages/guests/props'

/** SSH keys on the wire: all but letters, digits and `-_.~` as %XX, lines too. */
export const encodedKeys = (text: string): string =>
  encodeURIComponent(
    text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter(Boolean)
      .join('\n'),
  ).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

export function decodedKeys(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const KEY =
  /^(ssh-(rsa|ed25519|dss)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+=*( .*)?$/

/** Lines that are no SSH keys. Options before a key are seldom, and may stand there. */
export const wrongKeys = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !KEY.test(line) && !/ (ssh-|ecdsa-|sk-)/.test(line))

/** A key in few words: its kind, and its comment or its end. */
export function keyWords(line: string): string {
  const [kind = '', body = '', ...comment] = line.trim().split(/\s+/)
  return comment.length > 0 ? `${comment.join(' ')} (${kind})` : `${kind} …${body.slice(-12)}`
}

export type Way4 = 'none' | 'dhcp' | 'static'
export type Way6 = Way4 | 'auto'

export interface IpConfig {
  way4: Way4
  ip4: string
  gw4: string
  way6: Way6
  ip6: string
  gw6: string
}

export function ipConfigOf(text: string): IpConfig {
  const ip4 = partOf(text, 'ip') ?? ''
  const ip6 = partOf(text, 'ip6') ?? ''
  return {
    way4: ip4 === '' ? 'none' : ip4 === 'dhcp' ? 'dhcp' : 'static',
    ip4: ip4 === 'dhcp' ? '' : ip4,
    gw4: partOf(text, 'gw') ?? '',
    way6: ip6 === '' ? 'none' : ip6 === 'dhcp' || ip6 === 'auto' ? ip6 : 'static',
    ip6: ip6 === 'dhcp' || ip6 === 'auto' ? '' : ip6,
    gw6: partOf(text, 'gw6') ?? '',
  }
}

/** The text; empty if nothing is configured. */
export function ipConfigText(config: IpConfig): string {
  const { way4, ip4, gw4, way6, ip6, gw6 } = config
  const parts: string[] = []
  if (way4 === 'dhcp') parts.push('ip=dhcp')
  if (way4 === 'static') parts.push(`ip=${ip4}`, ...(gw4 ? [`gw=${gw4}`] : []))
  if (way6 === 'dhcp' || way6 === 'auto') parts.push(`ip6=${way6}`)
  if (way6 === 'static') parts.push(`ip6=${ip6}`, ...(gw6 ? [`gw6=${gw6}`] : []))
  return parts.join(',')
}
