/** A call as people type it: for `pvesh` and for curl, secrets left out. Pure. */
import { target } from '@/api/client'

type Values = Record<string, unknown>

const VERBS: Record<string, string> = { GET: 'get', POST: 'create', PUT: 'set', DELETE: 'delete' }
const SECRET = /(password|passwd|passphrase|secret|private-?key|encryption-?key|api-?key|token-?value)$/i
const HIDDEN = '***'

/** Whether a parameter's value must not be shown: as the schema says, or by its name where there is none yet. */
export const isSecret = (name: string, known: ReadonlySet<string> = new Set()): boolean =>
  known.has(name) || SECRET.test(name)

/** A word that a POSIX shell reads as this text. */
export function quote(word: string): string {
  if (/^[A-Za-z0-9_\-+.,/:@%=]+$/.test(word)) return word
  return `'${word.replaceAll("'", `'\\''`)}'`
}

const text = (value: unknown): string => (typeof value === 'boolean' ? (value ? '1' : '0') : String(value))

function given(params: Values, secrets: ReadonlySet<string>): [string, string[]][] {
  return Object.entries(params)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => {
      if (isSecret(name, secrets)) return [name, [HIDDEN]]
      return [name, Array.isArray(value) ? value.map(text) : [text(value)]]
    })
}

function path(url: string): string {
  return url.replace(/^\/api2\/json/, '')
}

/** `pvesh set /nodes/n1/qemu/100/config --memory 4096`. */
export function pveshCommand(operation: string, params: Values, secrets: ReadonlySet<string> = new Set()): string {
  const { method, url, rest } = target(operation, params)
  const options = given(rest, secrets).flatMap(([name, values]) => values.map((value) => `--${name} ${quote(value)}`))
  return ['pvesh', VERBS[method] ?? 'get', quote(decodeURI(path(url))), ...options].join(' ')
}

/** A curl command; the API token is taken from the environment. */
export function curlCommand(
  operation: string,
  params: Values,
  origin: string,
  secrets: ReadonlySet<string> = new Set(),
): string {
  const { method, url, rest } = target(operation, params)
  const head = ['curl', '--request', method, '--header', '"Authorization: PVEAPIToken=$PVE_API_TOKEN"']
  const fields = given(rest, secrets).flatMap(([name, values]) =>
    values.map((value) => `--data-urlencode ${quote(`${name}=${value}`)}`),
  )
  const query = method === 'DELETE' && fields.length > 0 ? ['--get'] : []
  return [...head, ...query, ...fields, quote(origin + url)].join(' ')
}

/** The names of an operation's secret parameters. */
export const secretNames = (schema: { fields: readonly { name: string; secret?: boolean }[] }): ReadonlySet<string> =>
  new Set(schema.fields.filter(({ secret }) => secret).map(({ name }) => name))

/** The secret parameters that have a value. */
export const secretsIn = (params: Values, secrets: ReadonlySet<string> = new Set()): string[] =>
  Object.entries(params)
    .filter(([name, value]) => value !== undefined && value !== null && value !== '' && isSecret(name, secrets))
    .map(([name]) => name)
