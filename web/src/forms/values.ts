/**
 * A form's values are texts as the wire has them ('' is unset; flags are '0' and '1'; several values are separated by
 * commas, words of an array by line breaks), or a file. This module turns answers into values, checks them, and says
 * which parameters a call needs.
 */
import { parse } from '@/forms/propstring'
import type { FieldSchema, OperationSchema } from '@/forms/schema'

export type Value = string | File
export type Values = Readonly<Record<string, Value>>

/** What is wrong with a field: a key of the catalogue with its values, or the API's own text. */
export type Fault = string | { key: FaultKey; values?: Record<string, string | number> }
export type FaultKey =
  | 'required'
  | 'integer'
  | 'number'
  | 'min'
  | 'max'
  | 'minLength'
  | 'maxLength'
  | 'pattern'
  | 'enum'
  | 'requires'
  | 'unknownKey'
  | 'duplicateKey'
  | 'noDefaultKey'
  | 'control'
export type Faults = Readonly<Record<string, Fault>>

/** The field that a parameter belongs to: `net3` to the family `net`. */
export function fieldOf(fields: readonly FieldSchema[], name: string): FieldSchema | undefined {
  const exact = fields.find((field) => field.name === name && field.numbered === undefined)
  if (exact) return exact
  const [, family, index] = /^(.*?)(\d+)$/.exec(name) ?? []
  return fields.find(
    (field) => field.numbered !== undefined && field.name === family && Number(index) <= field.numbered,
  )
}

/** The members of a family that are set, by number. */
export function members(values: Values, family: string): number[] {
  const found = Object.entries(values).flatMap(([name, value]) => {
    if (value === '') return []
    const rest = name.startsWith(family) ? name.slice(family.length) : ''
    return /^\d+$/.test(rest) ? [Number(rest)] : []
  })
  return found.sort((a, b) => a - b)
}

/** The lowest number that is free; undefined when the family is full. */
export function freeMember(values: Values, field: FieldSchema): number | undefined {
  const taken = new Set(members(values, field.name))
  for (let index = 0; index <= (field.numbered ?? -1); index += 1) if (!taken.has(index)) return index
  return undefined
}

function textOf(field: FieldSchema, value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (Array.isArray(value)) return value.map(String).join(field.type === 'array' ? '\n' : ',')
  return String(value)
}

/** The values of a form from what the API answered. Secrets are never shown, so they begin unset. */
export function valuesFrom(fields: readonly FieldSchema[], answer: Readonly<Record<string, unknown>>): Values {
  const out: Record<string, Value> = {}
  for (const [name, value] of Object.entries(answer)) {
    const field = fieldOf(fields, name)
    if (!field || field.secret) continue
    if (value instanceof File) out[name] = value
    else if (textOf(field, value) !== '') out[name] = textOf(field, value)
  }
  return out
}

const separate = (field: FieldSchema, text: string): string[] =>
  text.split(field.type === 'array' ? /\n/ : /[,;\s]+/).filter((word) => word !== '')

/** The items of a field with several values. */
export const itemsOf = separate

// One that this browser can't read is left to the API.
function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text)
  } catch {
    return true
  }
}

function numberFault(field: FieldSchema, text: string): Fault | undefined {
  if (field.type === 'integer' && !/^[+-]?\d+$/.test(text)) return { key: 'integer' }
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/.test(text)) return { key: 'number' }
  if (field.min !== undefined && Number(text) < field.min) return { key: 'min', values: { min: field.min } }
  if (field.max !== undefined && Number(text) > field.max) return { key: 'max', values: { max: field.max } }
  return undefined
}

function textFault(field: FieldSchema, text: string): Fault | undefined {
  const { minLength, maxLength } = field
  const length = [...text].length
  if (maxLength !== undefined && length > maxLength) return { key: 'maxLength', values: { maxLength } }
  if (minLength !== undefined && length < minLength) return { key: 'minLength', values: { minLength } }
  if (field.pattern && !field.list && !matches(field.pattern, text)) return { key: 'pattern' }
  const allowed = field.list?.enum ?? field.enum
  const words = field.list ? separate(field, text) : [text]
  if (allowed && words.some((word) => !allowed.includes(word))) return { key: 'enum' }
  return undefined
}

const PARSE_FAULTS = {
  unknown: 'unknownKey',
  duplicate: 'duplicateKey',
  noDefaultKey: 'noDefaultKey',
  control: 'control',
} as const

/** Faults of one value, below `name` (`net0.model` for a key of a property string). */
function faultsAt(field: FieldSchema, name: string, value: Value): Record<string, Fault> {
  if (typeof value !== 'string' || value === '') return {}
  if (field.prop) {
    const { parts, errors } = parse(value, field.prop)
    const found: Record<string, Fault> = {}
    for (const [key, fault] of Object.entries(errors)) {
      found[key ? `${name}.${key}` : name] = { key: PARSE_FAULTS[fault], values: { key } }
    }
    for (const sub of field.prop.fields) {
      const part = parts[sub.name] ?? ''
      if (part === '' && sub.required) found[`${name}.${sub.name}`] = { key: 'required' }
      else Object.assign(found, faultsAt(sub, `${name}.${sub.name}`, part))
    }
    return found
  }
  const numeric = (field.type === 'integer' || field.type === 'number') && !field.list
  const fault = numeric ? numberFault(field, value) : textFault(field, value)
  return fault ? { [name]: fault } : {}
}

/** Everything that is wrong with the values of these fields: the same rules as the API's. */
export function validate(fields: readonly FieldSchema[], values: Values): Faults {
  const found: Record<string, Fault> = {}
  for (const field of fields) {
    if (field.numbered === undefined) {
      const value = values[field.name] ?? ''
      if (value === '' && field.required) found[field.name] = { key: 'required' }
      if (value !== '' && field.requires && !values[field.requires]) {
        found[field.requires] = { key: 'requires', values: { other: field.name } }
      }
    }
  }
  for (const [name, value] of Object.entries(values)) {
    const field = fieldOf(fields, name)
    if (field) Object.assign(found, faultsAt(field, name, value))
  }
  return found
}

function onWire(field: FieldSchema, value: Value): unknown {
  if (typeof value !== 'string') return value
  if (field.type === 'array') return separate(field, value)
  if (field.list || field.type === 'string') return value
  return Number(value)
}

// Without a parameter to unset it, an empty text is how a text is taken away.
const canBeEmptied = (field: FieldSchema): boolean =>
  field.type === 'string' && !field.enum && !field.minLength && !field.required

/**
 * The parameters of a call: what differs from `initial`. What was cleared is named in `delete` where the operation has
 * that, the `digest` goes along, `fixed` always.
 */
export function paramsOf(
  operation: Pick<OperationSchema, 'fields'>,
  values: Values,
  initial: Values = {},
  fixed: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  // Elsewhere `delete` is a flag: take away what is named instead of adding it.
  const unsets = operation.fields.some((field) => field.name === 'delete' && field.type === 'string')
  const out: Record<string, unknown> = {}
  const gone: string[] = []
  for (const name of new Set([...Object.keys(values), ...Object.keys(initial)])) {
    const field = fieldOf(operation.fields, name)
    const [now, before] = [values[name] ?? '', initial[name] ?? '']
    if (!field || (unsets && name === 'delete') || name === 'digest' || now === before) continue
    if (now !== '') out[name] = onWire(field, now)
    else if (unsets) gone.push(name)
    else if (canBeEmptied(field)) out[name] = ''
  }
  const wanted = unsets && typeof values.delete === 'string' ? values.delete.split(/[,;\s]+/).filter(Boolean) : []
  if (gone.length > 0 || wanted.length > 0) out.delete = [...new Set([...wanted, ...gone])].join(',')
  const guarded = operation.fields.some((field) => field.name === 'digest')
  if (guarded && initial.digest) out.digest = initial.digest
  return { ...out, ...fixed }
}

/** A property string's error tells each key on a line of its own: `net.model: …`. */
function perKey(name: string, text: string): Record<string, Fault> {
  const found: Record<string, Fault> = {}
  for (const line of text.split('\n').slice(1)) {
    const [, key, said] = /^[\w-]+\.([\w-]+): (.*)$/.exec(line) ?? []
    if (key && said) found[`${name}.${key}`] = said
  }
  return Object.keys(found).length > 0 ? found : { [name]: text.trim() }
}

/** The API's errors, each at the name under which the form shows it; `rest` belongs to no shown field. */
export function placed(
  errors: Readonly<Record<string, string>>,
  fields: readonly FieldSchema[],
): { faults: Faults; rest: Record<string, string> } {
  const faults: Record<string, Fault> = {}
  const rest: Record<string, string> = {}
  for (const [name, text] of Object.entries(errors)) {
    const top = name.replace(/[.[].*$/, '')
    if (!fieldOf(fields, top)) rest[name] = text
    else Object.assign(faults, perKey(name.replace(/\[.*$/, ''), text))
  }
  return { faults, rest }
}

/** A field's own fault, or those of its keys. */
export function faultsBelow(faults: Faults, name: string): Faults {
  const found: Record<string, Fault> = {}
  for (const [place, fault] of Object.entries(faults)) {
    if (place.startsWith(`${name}.`)) found[place.slice(name.length + 1)] = fault
  }
  return found
}
