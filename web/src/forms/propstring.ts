/** Property strings: `local:100/vm-100-disk-0.qcow2,cache=none,size=32G`, as the API reads and prints them. */
import type { FieldSchema, PropSchema } from '@/forms/schema'

/** Texts by key. Keys that the schema does not know are kept. */
export type Parts = Record<string, string>

export interface Parsed {
  parts: Parts
  /** What is wrong, by key. */
  errors: Record<string, 'unknown' | 'duplicate' | 'noDefaultKey' | 'control'>
}

const TRUE = new Set(['1', 'on', 'yes', 'true'])
const FALSE = new Set(['0', 'off', 'no', 'false'])

function normal(field: FieldSchema | undefined, text: string): string {
  if (field?.type !== 'boolean') return text
  const word = text.toLowerCase()
  if (TRUE.has(word)) return '1'
  return FALSE.has(word) ? '0' : text
}

/** Read a text; what is wrong is told, not thrown: the rest can still be shown. */
export function parse(text: string, schema: PropSchema): Parsed {
  const fields = new Map(schema.fields.map((field) => [field.name, field]))
  const parts: Parts = {}
  const errors: Parsed['errors'] = {}
  const take = (key: string, value: string) => {
    if (key in parts) errors[key] = 'duplicate'
    else parts[key] = normal(fields.get(key), value)
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) errors[''] = 'control'
  for (const piece of text.split(',')) {
    const part = piece.trim()
    if (part === '') continue
    const equals = part.indexOf('=')
    if (equals < 0) {
      if (schema.defaultKey) take(schema.defaultKey, part)
      else errors[part] = 'noDefaultKey'
      continue
    }
    const written = part.slice(0, equals)
    const key = schema.aliases?.[written] ?? written
    const value = part.slice(equals + 1)
    const [word, valueKey] = schema.folded ?? []
    if (fields.has(key)) take(key, value)
    else if (word !== undefined && valueKey !== undefined && fields.get(word)?.enum?.includes(key)) {
      take(word, key)
      take(valueKey, value)
    } else {
      errors[key] = 'unknown'
      take(key, value)
    }
  }
  return { parts, errors }
}

/** The text: the default key first and without its name, the others in alphabetical order. Empty parts are left out. */
export function print(parts: Parts, schema: PropSchema): string {
  const rest = new Map(Object.entries(parts).filter(([, value]) => value !== ''))
  const [word, valueKey] = schema.folded ?? []
  let first = ''
  if (word !== undefined && valueKey !== undefined && rest.has(word) && rest.has(valueKey)) {
    first = `${rest.get(word)}=${rest.get(valueKey)}`
    rest.delete(word)
    rest.delete(valueKey)
  } else if (schema.defaultKey && rest.has(schema.defaultKey) && !rest.get(schema.defaultKey)?.includes('=')) {
    first = rest.get(schema.defaultKey) ?? ''
    rest.delete(schema.defaultKey)
  }
  const others = [...rest.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)).map((key) => `${key}=${rest.get(key)}`)
  return [...(first ? [first] : []), ...others].join(',')
}
