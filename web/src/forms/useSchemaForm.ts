/** A form for an operation: its fields, what was entered, what is wrong, and the call's parameters. */
import i18next from 'i18next'
import { useCallback, useMemo, useRef, useState } from 'react'
import type { Operation, Params } from '@/api/client'
import { type FieldSchema, labelOf, type OperationSchema, useOperation } from '@/forms/schema'
import {
  type Fault,
  type Faults,
  members,
  paramsOf,
  placed,
  type Value,
  type Values,
  validate,
  valuesFrom,
} from '@/forms/values'

export interface SchemaFormOptions<O extends Operation> {
  operation: O
  /** Parameters that are not asked for, such as those in the path. */
  fixed?: Partial<Params<O>>
  /** What is set now, as the API answered it. Only what differs from it is sent. */
  values?: Readonly<Record<string, unknown>>
  /** What a new thing begins with; sent unless it is changed. */
  prefill?: Readonly<Record<string, unknown>>
  /** Show only these fields, in this order. */
  only?: readonly string[]
  omit?: readonly string[]
  /** Fields that come first; the others follow as declared. */
  order?: readonly string[]
  /** Fields that are shown at once; the others wait behind "More options". By default: what is required or set. */
  basic?: readonly string[]
}

/** What fields look at beside their own value: for pickers whose choices depend on others. */
export interface FormContext {
  operation: string
  fixed: Readonly<Record<string, unknown>>
  /** Of what was entered, the `node`. */
  values: Values
}

export interface SchemaFormState<O extends Operation> {
  schema: OperationSchema | undefined
  fields: readonly FieldSchema[]
  /** By `keyOf`. */
  basic: ReadonlySet<string>
  values: Values
  initial: Values
  faults: Faults
  /** What the API said of parameters that the form does not show. */
  unplaced: Readonly<Record<string, string>>
  /** The names of those errors of the API's that stand at a field. */
  landed: readonly string[]
  changed: boolean
  /** How often something wrong was found: the first such field is then looked for. */
  attempts: number
  context: FormContext
  set: (name: string, value: Value) => void
  /** The parameters; marks what is wrong and throws `Incomplete` if anything is. */
  params: () => Params<O>
  /** Put the API's errors at their fields. */
  setErrors: (errors: Record<string, string>) => void
  reset: () => void
}

/** The form can't be sent as it is: its fields say why. */
export class Incomplete extends Error {}

const NEVER_SHOWN = new Set(['digest'])
const NOTHING: Values = {}

function shownFields<O extends Operation>(schema: OperationSchema | undefined, options: SchemaFormOptions<O>) {
  if (!schema) return []
  const fixed = new Set(
    Object.entries(options.fixed ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [name])),
  )
  // To unset options is what clearing a field does.
  const unsets = (field: FieldSchema) => field.name === 'delete' && field.type === 'string'
  const usable = schema.fields.filter(
    (field) =>
      !fixed.has(field.name) && !NEVER_SHOWN.has(field.name) && !options.omit?.includes(field.name) && !unsets(field),
  )
  const first = options.only ?? options.order ?? []
  const ahead = first.flatMap((name) => named(usable, name))
  if (options.only) return ahead
  const rest = usable.filter((field) => !ahead.includes(field))
  return [...ahead, ...rest.filter((field) => field.required), ...rest.filter((field) => !field.required)]
}

/** The fields of a name; a member of a family (`net3`) is a field by itself. */
function named(fields: readonly FieldSchema[], name: string): readonly FieldSchema[] {
  const exact = fields.filter((field) => field.name === name)
  // A family may have the name of another field: `numa`, `numa0`.
  if (exact.length > 1) return exact.filter((field) => field.numbered === undefined)
  if (exact.length > 0) return exact
  const family = fields.find(
    (field) =>
      field.numbered !== undefined && name.startsWith(field.name) && /^\d+$/.test(name.slice(field.name.length)),
  )
  return family ? [{ ...family, name, numbered: undefined }] : []
}

const FEW = 7

/** What tells fields apart: a family may have the name of another field (`numa`, `numa0`). */
export const keyOf = (field: FieldSchema): string => (field.numbered === undefined ? field.name : `${field.name}[]`)

function basicFields<O extends Operation>(
  fields: readonly FieldSchema[],
  initial: Values,
  options: SchemaFormOptions<O>,
): Set<string> {
  if (options.only || fields.length <= FEW) return new Set(fields.map(keyOf))
  if (options.basic) {
    const named = new Set(options.basic)
    return new Set(fields.filter((each) => each.required || named.has(each.name)).map(keyOf))
  }
  const isSet = (field: FieldSchema) =>
    field.numbered === undefined ? Boolean(initial[field.name]) : members(initial, field.name).length > 0
  const first = new Set(options.order)
  return new Set(fields.filter((each) => each.required || isSet(each) || first.has(each.name)).map(keyOf))
}

export function useSchemaForm<O extends Operation>(options: SchemaFormOptions<O>): SchemaFormState<O> {
  const schema = useOperation(options.operation)
  const [edits, setEdits] = useState<Values | null>(null)
  const [faults, setFaults] = useState<Faults>({})
  const [attempts, setAttempts] = useState(0)
  const [landed, setLanded] = useState<readonly string[]>([])
  const [unplaced, setUnplaced] = useState<Readonly<Record<string, string>>>({})

  // biome-ignore lint/correctness/useExhaustiveDependencies: lists and objects are written anew at each rendering
  const fields = useMemo(
    () => shownFields(schema, options),
    [schema, ...[options.fixed, options.only, options.omit, options.order].map((each) => JSON.stringify(each))],
  )
  const initial = useMemo(
    () => (schema && options.values ? withDigest(schema, options.values) : NOTHING),
    [schema, options.values],
  )
  // biome-ignore lint/correctness/useExhaustiveDependencies: only at the start
  const prefilled = useMemo(
    () => (schema && options.prefill ? valuesFrom(schema.fields, options.prefill) : NOTHING),
    [schema],
  )
  const entered = edits ?? prefilled
  const values = useMemo(() => ({ ...initial, ...entered }), [initial, entered])
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  const basic = useMemo(() => basicFields(fields, { ...initial, ...prefilled }, options), [fields, initial, prefilled])

  const latest = useRef({ values, initial, fields, schema, fixed: options.fixed, prefilled })
  latest.current = { values, initial, fields, schema, fixed: options.fixed, prefilled }

  const set = useCallback((name: string, value: Value) => {
    setEdits((before) => ({ ...(before ?? latest.current.prefilled), [name]: value }))
    setFaults((before) => {
      const kept = Object.entries(before).filter(([place]) => place !== name && !place.startsWith(`${name}.`))
      return kept.length === Object.keys(before).length ? before : Object.fromEntries(kept)
    })
  }, [])

  const params = useCallback((): Params<O> => {
    const now = latest.current
    if (!now.schema) throw new Incomplete(i18next.t('forms:notReady'))
    const wrong = validate(now.fields, now.values)
    setFaults(wrong)
    if (Object.keys(wrong).length > 0) {
      setAttempts((before) => before + 1)
      throw new Incomplete(incomplete(wrong))
    }
    return paramsOf(now.schema, now.values, now.initial, { ...now.fixed }) as Params<O>
  }, [])

  const setErrors = useCallback((errors: Record<string, string>) => {
    const { faults: found, rest } = placed(errors, latest.current.fields)
    setFaults(found)
    setUnplaced(rest)
    setLanded(Object.keys(errors).filter((name) => !(name in rest)))
    if (Object.keys(errors).length > 0) setAttempts((before) => before + 1)
  }, [])

  const reset = useCallback(() => {
    setEdits(null)
    setFaults({})
    setUnplaced({})
    setLanded([])
  }, [])

  const changed = Object.entries(entered).some(([name, value]) => value !== (initial[name] ?? ''))
  // Only what choices depend on, so that typing into one field leaves the others as they are.
  const { node = '' } = values
  const fixedNow = JSON.stringify(options.fixed)
  // biome-ignore lint/correctness/useExhaustiveDependencies: `fixed` is written anew at each rendering
  const context = useMemo(
    () => ({ operation: options.operation, fixed: options.fixed ?? {}, values: { node } }),
    [options.operation, fixedNow, node],
  )
  return {
    schema,
    fields,
    basic,
    values,
    initial,
    faults,
    unplaced,
    landed,
    changed,
    attempts,
    context,
    set,
    params,
    setErrors,
    reset,
  }
}

function withDigest(schema: OperationSchema, answer: Readonly<Record<string, unknown>>): Values {
  const found = valuesFrom(schema.fields, answer)
  return typeof answer.digest === 'string' ? { ...found, digest: answer.digest } : found
}

function incomplete(faults: Faults): string {
  const names = Object.keys(faults).map((name) => labelOf(name.replace(/\..*$/, '')) ?? name)
  return i18next.t('forms:incomplete', { fields: [...new Set(names)].join(', ') })
}

/** What a fault says, in the page's language. */
export function faultText(fault: Fault): string {
  if (typeof fault === 'string') return fault
  return i18next.t(`forms:fault.${fault.key}`, { ...fault.values })
}
