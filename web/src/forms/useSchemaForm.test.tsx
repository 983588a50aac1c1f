// @vitest-environment jsdom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import i18next from 'i18next'
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { beforeAll, expect, test } from 'vitest'
import type { Operation } from '@/api/client'
import { type Generated, unfold } from '@/forms/schema'
import { faultText, type SchemaFormOptions, type SchemaFormState, useSchemaForm } from '@/forms/useSchemaForm'
import { en } from '@/locales/en'

const OPERATION = 'PUT /nodes/{node}/qemu/{vmid}/config'
const GENERATED: Generated = {
  operations: {
    [OPERATION]: { text: 'Set options.', fields: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], result: 0, permissions: {} },
  },
  fields: [
    { name: 'node', type: 'string', required: true },
    { name: 'vmid', type: 'integer', required: true },
    { name: 'cores', type: 'integer', min: 1, max: 128 },
    { name: 'name', type: 'string' },
    { name: 'net', type: 'string', numbered: 31, prop: 0 },
    { name: 'delete', type: 'string', list: {} },
    { name: 'digest', type: 'string' },
    { name: 'numa', type: 'boolean', default: 0 },
    { name: 'numa', type: 'string', numbered: 7 },
    { name: 'args', type: 'string' },
    { name: 'model', type: 'string', required: true, enum: ['virtio', 'e1000'] },
  ],
  props: [{ fields: [10], defaultKey: 'model' }],
  results: ['null'],
}

beforeAll(async () => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })
  await i18next.init({ lng: 'en', resources: { en }, interpolation: { escapeValue: false } })
})

type Options = SchemaFormOptions<Operation>
type Form = SchemaFormState<Operation>

function Probe({ seen, options }: { seen: (form: Form) => void; options: Omit<Options, 'operation'> }) {
  seen(useSchemaForm({ operation: OPERATION as Operation, ...options }))
  return null
}

/** The form as its last rendering had it. */
function opened(options: Omit<Options, 'operation'>) {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } })
  client.setQueryData(['forms.json'], unfold(GENERATED))
  const forms: Form[] = []
  const root = createRoot(document.createElement('div'))
  const rerender = (now: Omit<Options, 'operation'>) =>
    act(() =>
      root.render(
        <QueryClientProvider client={client}>
          <Probe seen={(form) => forms.push(form)} options={now} />
        </QueryClientProvider>,
      ),
    )
  rerender(options)
  const form = (): Form => {
    const last = forms.at(-1)
    if (!last) throw new Error('not rendered')
    return last
  }
  return { form, rerender }
}

/** Asking for the parameters marks what is wrong, so it renders. */
function paramsOf(form: Form): unknown {
  let found: unknown
  act(() => {
    found = form.params()
  })
  return found
}

const FIXED = { node: 'n1', vmid: 100 } as Partial<Record<string, unknown>> as Options['fixed']
const VALUES = { cores: 2, name: 'web', net0: 'virtio', digest: 'd1', other: 'x' }

test('a form shows what is not fixed, and first what is set', () => {
  const { form } = opened({ fixed: FIXED, values: VALUES })
  expect(form().fields.map(({ name }) => name)).toEqual(['cores', 'name', 'net', 'numa', 'numa', 'args'])
  const many = opened({ values: VALUES, order: ['args'] }).form()
  expect([...many.basic]).toEqual(['args', 'node', 'vmid', 'cores', 'name', 'net[]'])
})

test('what was changed is sent, what was cleared is deleted, the digest goes along', () => {
  const { form } = opened({ fixed: FIXED, values: VALUES })
  expect(form().changed).toBe(false)
  act(() => {
    form().set('cores', '4')
    form().set('name', '')
    form().set('net1', 'e1000')
  })
  expect(form().changed).toBe(true)
  expect(paramsOf(form())).toEqual({ node: 'n1', vmid: 100, cores: 4, net1: 'e1000', delete: 'name', digest: 'd1' })
})

test('an answer that comes anew leaves alone what was entered', () => {
  const { form, rerender } = opened({ fixed: FIXED, values: VALUES })
  act(() => form().set('cores', '4'))
  rerender({ fixed: FIXED, values: { ...VALUES, name: 'mail', digest: 'd2' } })
  expect(form().values).toMatchObject({ cores: '4', name: 'mail' })
  expect(paramsOf(form())).toMatchObject({ cores: 4, digest: 'd2' })
})

test('what is wrong is said at its field until that is changed', () => {
  const { form } = opened({ fixed: FIXED, values: VALUES })
  act(() => form().set('net0', 'x'))
  act(() => expect(() => form().params()).toThrow('Please look at: Network card 0'))
  expect(form().faults).toEqual({ 'net0.model': { key: 'enum' } })
  expect(form().attempts).toBe(1)
  act(() => form().set('net0', 'virtio'))
  expect(form().faults).toEqual({})
})

test("the API's errors land at their fields, and those of no field are kept", () => {
  const { form } = opened({ fixed: FIXED, values: VALUES })
  act(() => form().setErrors({ cores: 'too many\n', vmid: 'is locked' }))
  expect(form().faults).toEqual({ cores: 'too many' })
  expect(form().unplaced).toEqual({ vmid: 'is locked' })
  expect(faultText({ key: 'max', values: { max: 128 } })).toBe('At most 128.')
})

test('what a new thing begins with is sent', () => {
  const { form } = opened({ prefill: { node: 'n1', vmid: 100, cores: 2 }, only: ['cores'] })
  expect(paramsOf(form())).toEqual({ node: 'n1', vmid: 100, cores: 2 })
})
