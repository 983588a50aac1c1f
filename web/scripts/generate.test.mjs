import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { forms, resultType, texts, types, untranslated } from './generate.mjs'

const envelope = (data) => ({ content: { 'application/json': { schema: { type: 'object', properties: { data } } } } })
const NET = {
  type: 'string',
  description: 'A card.',
  'x-corral-numbered': { name: 'net', max: 31 },
  'x-corral-keys': {
    keys: { model: { type: 'string', enum: ['virtio', 'e1000'], description: 'The model.' } },
    required: ['model'],
    default_key: 'model',
  },
}
const DOCUMENT = {
  paths: {
    '/things/{id}': {
      put: {
        summary: 'Change.',
        description: 'Change.\n\nAnd more.',
        parameters: [{ name: 'id', in: 'path', required: true, description: 'Which.', schema: { type: 'integer' } }],
        requestBody: {
          content: {
            'application/json': {
              schema: {
                required: ['with-dash'],
                properties: {
                  'with-dash': { type: 'string', description: 'A dash.', enum: ["it's", 'b'] },
                  on: { type: 'boolean', description: 'On.', default: true },
                  users: {
                    type: 'string',
                    description: 'Users.',
                    'x-corral-items': { type: 'string', format: 'pve-userid' },
                  },
                  words: { type: 'array', items: { type: 'string' }, description: 'Words.' },
                  net0: NET,
                },
              },
            },
          },
        },
        responses: { 200: envelope({ anyOf: [{ type: 'string', format: 'upid' }, { type: 'null' }] }) },
        'x-corral-permissions': { user: 'all', description: 'Anybody may.' },
        'x-corral-plan': { never: 'no reason' },
        'x-corral-task': true,
      },
      get: {
        summary: 'Read.',
        description: 'Read.',
        parameters: [{ name: 'id', in: 'path', required: true, description: 'Which.', schema: { type: 'integer' } }],
        responses: { 200: envelope({ type: 'null' }) },
        'x-corral-permissions': { check: ['perm', '/', ['Sys.Audit']] },
      },
    },
  },
}

test('types tell parameters and results', () => {
  const text = types(DOCUMENT)
  expect(text).toContain("'PUT /things/{id}': {")
  expect(text).toContain("'with-dash': 'it\\'s' | 'b'")
  expect(text).toContain('on?: Flag | boolean | undefined')
  expect(text).toContain('users?: string | readonly (string | number)[] | undefined')
  expect(text).toContain('words?: (string)[] | undefined')
  expect(text).toContain(`[net: \`net\${number}\`]: string | undefined`)
  expect(text).toContain('result: string | null')
})

test.each([
  [{ type: 'integer', enum: [0, 1], 'x-corral-flag': true }, 'Flag'],
  [{ type: 'array', items: { type: 'number' } }, '(number)[]'],
  [{ type: 'object' }, 'Record<string, unknown>'],
  [{ type: 'object', additionalProperties: { type: 'string' } }, 'Record<string, string>'],
  [
    { type: 'object', properties: { a: { type: 'string' }, 'b-c': {} }, required: ['a'] },
    "{ a: string; 'b-c'?: unknown }",
  ],
  [
    { type: 'object', properties: {}, patternProperties: { '^net(0|1)$': { type: 'string' } } },
    `{ [net: \`net\${number}\`]: string | undefined }`,
  ],
  [undefined, 'unknown'],
])('%j is %s', (schema, type) => {
  expect(resultType(schema)).toBe(type)
})

test('forms have what is told once, in the same way each time', () => {
  const built = forms(DOCUMENT)
  const put = built.operations['PUT /things/{id}']
  const names = put.fields.map((place) => built.fields[place].name)
  expect(names).toEqual(['id', 'with-dash', 'on', 'users', 'words', 'net'])
  expect(built.operations['GET /things/{id}'].fields).toEqual([put.fields[0]])
  expect(built.fields[put.fields[2]]).toEqual({ name: 'on', type: 'boolean', text: 'On.', default: 1 })
  const net = built.fields[put.fields[5]]
  expect(net).toEqual({ name: 'net', type: 'string', text: 'A card.', numbered: 31, prop: 0 })
  expect(built.props[net.prop].defaultKey).toBe('model')
  expect(put).toMatchObject({ text: 'Change.\n\nAnd more.', never: 'no reason', task: true })
  expect(JSON.stringify(forms(DOCUMENT))).toBe(JSON.stringify(built))
})

test('a text without a translation is found, and a translation without a text', () => {
  const built = forms(DOCUMENT)
  expect([...texts(built)]).toEqual(expect.arrayContaining(['Read.', 'The model.', 'Anybody may.', 'no reason']))
  const locales = mkdtempSync(join(tmpdir(), 'locales'))
  try {
    mkdirSync(join(locales, 'en'))
    mkdirSync(join(locales, 'zh'))
    const known = Object.fromEntries([...texts(built)].map((text) => [text, '译']))
    writeFileSync(join(locales, 'zh/schema.json'), JSON.stringify({ ...known, 'Read.': ' ', 'Old.': '旧' }))
    expect(untranslated(built, locales)).toEqual({ missing: ['zh: "Read."'], stale: ['zh: "Old."'] })
  } finally {
    rmSync(locales, { recursive: true })
  }
})
