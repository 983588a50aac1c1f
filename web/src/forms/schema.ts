/**
 * What forms know of the API: generated from the declarations, fetched when the first form opens. Texts are English;
 * `useDescribe` translates them.
 */
import { useQuery } from '@tanstack/react-query'
import i18next from 'i18next'
import { useCallback, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import type { Operation } from '@/api/client'
import formsUrl from '@/generated/forms.json?url'
import { createStore, useStore } from '@/live/store'
import chineseUrl from '@/locales/zh/schema.json?url'

export interface Item {
  type?: string
  enum?: string[]
  format?: string
}

/** A parameter, or a key of a property string. */
export interface FieldSchema {
  name: string
  type: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'file' | 'object'
  text?: string
  required?: boolean
  default?: string | number
  enum?: string[]
  min?: number
  max?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  format?: string
  /** It holds several values: an array, or one text with commas. */
  list?: Item
  /** A property string. */
  prop?: PropSchema
  /** A family `net0`, `net1` …; this is the highest number. */
  numbered?: number
  requires?: string
  alias?: string
  secret?: boolean
  /** The empty text is a value. */
  empty?: boolean
  /** Only root@pam may set it. */
  root?: boolean
}

/** A property string: `DEFAULT,key=value,…`. */
export interface PropSchema {
  fields: FieldSchema[]
  defaultKey?: string
  /** Old key → key. */
  aliases?: Record<string, string>
  /** `[key, value key]`: a word of the key's enumeration, used as a key, names both: `virtio=AA:BB:…`. */
  folded?: [string, string]
}

export interface OperationSchema {
  name: Operation
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  text: string
  fields: FieldSchema[]
  /** As a TypeScript type: for people. */
  result: string
  permissions: unknown
  root?: boolean
  /** Why it can't be planned. */
  never?: string
  /** The result is a task. */
  task?: boolean
  stream?: 'events' | 'websocket' | 'download'
}

export type Schemas = ReadonlyMap<string, OperationSchema>

type RawField = Omit<FieldSchema, 'prop'> & { prop?: number }
type RawProp = Omit<PropSchema, 'fields'> & { fields: number[] }
type RawOperation = Omit<OperationSchema, 'name' | 'method' | 'path' | 'fields' | 'result'> & {
  fields?: number[]
  result: number
}

/** The file as `scripts/generate.mjs` writes it: what occurs often stands there once. */
export interface Generated {
  operations: Record<string, RawOperation>
  fields: RawField[]
  props: RawProp[]
  results: string[]
}

function at<T>(list: readonly T[], place: number): T {
  const found = list[place]
  if (found === undefined) throw new Error(`forms.json: nothing at ${place}`)
  return found
}

/** The schemas, with every reference followed. */
export function unfold(raw: Generated): Schemas {
  const props: PropSchema[] = raw.props.map(({ fields: _, ...rest }) => ({ ...rest, fields: [] }))
  const fields: FieldSchema[] = raw.fields.map(({ prop, ...rest }) =>
    prop === undefined ? rest : { ...rest, prop: at(props, prop) },
  )
  raw.props.forEach((each, place) => {
    at(props, place).fields = each.fields.map((field) => at(fields, field))
  })
  return new Map(
    Object.entries(raw.operations).map(([name, each]) => {
      const [method, path] = name.split(' ') as [OperationSchema['method'], string]
      const own = (each.fields ?? []).map((field) => at(fields, field))
      return [
        name,
        { ...each, name: name as Operation, method, path, fields: own, result: at(raw.results, each.result) },
      ]
    }),
  )
}

async function fetched<T>(url: string): Promise<T> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  return (await response.json()) as T
}

/** All operations; undefined until they are there. */
export function useSchemas(): Schemas | undefined {
  return useQuery({
    queryKey: ['forms.json'],
    queryFn: async () => unfold(await fetched<Generated>(formsUrl)),
    gcTime: Number.POSITIVE_INFINITY,
  }).data
}

export function useOperation(operation: Operation): OperationSchema | undefined {
  return useSchemas()?.get(operation)
}

const NO_TEXTS: Readonly<Record<string, string>> = {}
const chinese = createStore(NO_TEXTS)
let asked = false

function askForChinese(): void {
  if (asked) return
  asked = true
  fetched<Record<string, string>>(chineseUrl)
    .then(chinese.set)
    .catch(() => {
      asked = false // the English texts stand; the next form asks again
    })
}

/** A function that says a description in the page's language. */
export function useDescribe(): (text: string | undefined) => string {
  const { i18n } = useTranslation()
  const wanted = i18n.language === 'zh'
  const texts = useStore(chinese)
  useEffect(() => {
    if (wanted) askForChinese()
  }, [wanted])
  return useCallback((text) => (text && wanted ? (texts[text] ?? text) : (text ?? '')), [wanted, texts])
}

/** A parameter's label; undefined when there is none but its name. `net3` is labelled by `net`, with its number. */
export function labelOf(name: string): string | undefined {
  const known = (key: string): string | undefined =>
    i18next.exists(`forms:label.${key}`) ? i18next.t(`forms:label.${key}` as never) : undefined
  const [, family, index] = /^(.*?)(\d+)$/.exec(name) ?? []
  const whole = known(name)
  if (whole !== undefined || family === undefined) return whole
  const base = known(family)
  return base === undefined ? undefined : `${base} ${index}`
}
