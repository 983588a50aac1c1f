/** The API, typed by what `corral openapi` says: `call('GET /nodes/{node}/qemu', { node })`. */

import { csrf, sessionRefused } from '@/api/session'
import type { Operations } from '@/generated/api'

export type Operation = keyof Operations & string
export type Params<O extends Operation> = Operations[O]['params']
export type Result<O extends Operation> = Operations[O]['result']

/** One file that a plan writes; `diff` is unified and absent where the caller may not see the text. */
export interface PlanWrite {
  key: string
  action: 'create' | 'change' | 'delete'
  text?: string | null
  diff?: string
}

/** What a call would do. */
export interface Plan {
  writes: PlanWrite[]
  /** `verb`: create, free, resize, import, write; `size` in bytes where it is known. */
  volumes: { volid: string; verb: string; size?: number }[]
  locks: string[]
  effects: string[]
  warnings: string[]
  seconds: number
  draws: Record<string, string>
}

/** A plan and what lets exactly it be applied, for an hour. */
export interface Planned {
  plan: Plan
  token: string
}

/** What the API answered instead of a result. `errors` maps parameters to what is wrong with them. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly errors: Record<string, string> = {},
  ) {
    super(message.trim())
  }
}

/** No answer came: the node or the network is away. */
export class Unreachable extends Error {}

export interface CallOptions {
  signal?: AbortSignal
  /** Apply the plan of this token. */
  apply?: string
  /** So that a repeated call does not act twice. */
  idempotencyKey?: string
}

const BASE = '/api2/json'
type Values = Record<string, unknown>

/** Run an operation; `ApiError` or `Unreachable` if it fails. */
export async function call<O extends Operation>(
  operation: O,
  params: Params<O>,
  options: CallOptions = {},
): Promise<Result<O>> {
  return (await request(operation, params as Values, options)).data as Result<O>
}

/** As `call`, with what stands beside `data`: `total` of long lists. */
export async function callWithTotal<O extends Operation>(
  operation: O,
  params: Params<O>,
  options: CallOptions = {},
): Promise<{ data: Result<O>; total: number }> {
  const body = await request(operation, params as Values, options)
  return { data: body.data as Result<O>, total: Number(body.total ?? 0) }
}

/** Ask what an operation would do. */
export async function plan<O extends Operation>(operation: O, params: Params<O>): Promise<Planned> {
  return (await request(operation, params as Values, {}, { 'corral-plan': '1' })).data as Planned
}

/** The URL of an operation, its path filled in; what is left of the parameters. */
export function target(operation: string, params: Values): { method: string; url: string; rest: Values } {
  const [method = 'GET', template = '/'] = operation.split(' ')
  const rest = { ...params }
  const path = template.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const value = rest[name]
    delete rest[name]
    if (value === undefined || value === '') throw new Error(`${operation}: '${name}' is missing`)
    const text = String(value)
    // The browser would take it for a step in the path, encoded or not: it names nothing that there is.
    if (text === '.' || text === '..') throw new Error(`${operation}: '${name}' can't be '${text}'`)
    return encodeURIComponent(text)
  })
  return { method, url: BASE + path, rest }
}

function query(params: Values): string {
  const pairs = new URLSearchParams()
  for (const [key, value] of Object.entries(params)) {
    if (value === undefined || value === null) continue
    pairs.append(key, typeof value === 'boolean' ? (value ? '1' : '0') : String(value))
  }
  const text = pairs.toString()
  return text ? `?${text}` : ''
}

/** A file goes along as such; all else as JSON. */
function encoded(params: Values): { body: string | FormData; headers: Record<string, string> } {
  if (!Object.values(params).some((value) => value instanceof File)) {
    return { body: JSON.stringify(params), headers: { 'Content-Type': 'application/json' } }
  }
  const form = new FormData()
  // The file comes last: what the node needs to know of it must be there before.
  for (const [key, value] of Object.entries(params)) {
    if (value !== undefined && !(value instanceof File)) form.append(key, String(value))
  }
  for (const [key, value] of Object.entries(params)) if (value instanceof File) form.append(key, value)
  return { body: form, headers: {} } // the browser sets the type, with the boundary
}

interface Body {
  data: unknown
  total?: number
  message?: string
  errors?: Record<string, string>
}

async function request(
  operation: string,
  params: Values,
  options: CallOptions,
  more: Record<string, string> = {},
  again = true,
): Promise<Body> {
  const { method, url, rest } = target(operation, params)
  const inBody = method === 'POST' || method === 'PUT'
  const headers: Record<string, string> = { Accept: 'application/json', ...more }
  if (method !== 'GET') headers.CSRFPreventionToken = csrf()
  if (options.apply) headers['corral-apply'] = options.apply
  if (options.idempotencyKey) headers['Idempotency-Key'] = options.idempotencyKey
  const init: RequestInit = { method, headers, credentials: 'same-origin', signal: options.signal ?? null }
  if (inBody) {
    const { body, headers: type } = encoded(rest)
    Object.assign(init, { body, headers: { ...headers, ...type } })
  }
  let response: Response
  try {
    response = await fetch(inBody ? url : url + query(rest), init)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Unreachable('unreachable', { cause: error })
  }
  const body = await read(response)
  // What was refused for its ticket has not been done: once somebody has logged in again, it goes on.
  if (response.status === 401 && again && (await sessionRefused())) {
    return request(operation, params, options, more, false)
  }
  if (!response.ok) throw new ApiError(response.status, body.message || response.statusText, body.errors)
  return body
}

async function read(response: Response): Promise<Body> {
  try {
    return (await response.json()) as Body
  } catch {
    return { data: null } // an answer without a body: 401 at the authentication stage
  }
}
