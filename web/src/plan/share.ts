/** A change in a link, for somebody else to look at and apply: `/approve#…`. Nothing of it reaches a server. Pure. */
import { type Operation, target } from '@/api/client'

export interface Request {
  operation: Operation
  params: Record<string, unknown>
  /** Who planned it, and from what: tells whether things have changed since. */
  asked: Asked
}

/** What a plan's token says of itself: who planned, when, and the versions of what was read. Not verified here. */
export interface Asked {
  user: string
  time: number
  reads: Record<string, string>
}

function base64url(text: string): string {
  const bytes = new TextEncoder().encode(text)
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function fromBase64url(text: string): string {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)))
}

export const encodeRequest = (request: Request): string => base64url(JSON.stringify(request))

/** The link; the caller has seen to it that no secret is among the parameters. */
export const approvalLink = (origin: string, request: Request): string => `${origin}/approve#${encodeRequest(request)}`

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a link asks for; null for one that is broken or asks for no change. */
export function decodeRequest(hash: string): Request | null {
  try {
    const found: unknown = JSON.parse(fromBase64url(hash.replace(/^#/, '')))
    if (!isObject(found)) return null
    const { operation, params } = found
    const asked = askedOf(found.asked)
    if (typeof operation !== 'string' || !isObject(params) || !asked) return null
    if (!/^(POST|PUT|DELETE) \/\S*$/.test(operation)) return null
    target(operation, params) // throws if a part of the path is missing
    return { operation: operation as Operation, params, asked }
  } catch {
    return null
  }
}

/** All that is asked for beside the path, to be looked at before it is done. */
export const shownParams = ({ operation, params }: Request): [string, string][] =>
  Object.entries(target(operation, params).rest).map(([name, value]) => [
    name,
    typeof value === 'string' && value !== '' ? value : JSON.stringify(value),
  ])

function askedOf(found: unknown): Asked | null {
  if (!isObject(found) || typeof found.user !== 'string' || typeof found.time !== 'number') return null
  return { user: found.user, time: found.time, reads: isObject(found.reads) ? asTexts(found.reads) : {} }
}

/** Who planned what a token is for. The rest of a token, such as drawn values, must not get into a link. */
export function askedBy(token: string): Asked | null {
  try {
    return askedOf(JSON.parse(fromBase64url(token.split('.')[0] ?? '')))
  } catch {
    return null
  }
}

const asTexts = (values: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]))

/** The records that both plans read and that have changed between them. */
export const changedBetween = (first: Asked, second: Asked): string[] =>
  Object.entries(first.reads)
    .filter(([key, version]) => key in second.reads && second.reads[key] !== version)
    .map(([key]) => key)
