// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest'
import { ApiError, call, callWithTotal, type Operation, type Params, plan, target, Unreachable } from '@/api/client'

afterEach(() => vi.unstubAllGlobals())

/** Answer the next request; its URL and options. */
function answering(status: number, body: unknown) {
  const fetched = vi.fn(async (_url: string, _init: RequestInit) => new Response(JSON.stringify(body), { status }))
  vi.stubGlobal('fetch', fetched)
  return () => {
    const [url, init] = fetched.mock.calls[0] ?? []
    return { url, init, headers: init?.headers as Record<string, string> }
  }
}

test('the path is filled in, and what is left goes into the body or the query', () => {
  expect(
    target('GET /nodes/{node}/storage/{storage}/content/{volume}', { node: 'n', storage: 's', volume: 's:a/b' }),
  ).toEqual({
    method: 'GET',
    url: '/api2/json/nodes/n/storage/s/content/s%3Aa%2Fb',
    rest: {},
  })
  expect(() => target('GET /nodes/{node}/status', {})).toThrow("'node' is missing")
})

test.each(['.', '..'])('%s in a path would name another call', (storage) => {
  expect(() => target('DELETE /storage/{storage}', { storage })).toThrow("'storage'")
})

test('a GET has its parameters in the query, flags as numbers', async () => {
  const sent = answering(200, { data: [], total: 7 })
  expect((await callWithTotal('GET /nodes/{node}/storage', { node: 'n', enabled: true, content: 'iso' })).total).toBe(7)
  expect(sent().url).toBe('/api2/json/nodes/n/storage?enabled=1&content=iso')
  expect(sent().init?.body).toBeUndefined()
})

test('a change has them in a JSON body', async () => {
  const sent = answering(200, { data: null })
  await call('PUT /pools', { poolid: 'p', vms: '100' }, { apply: 'token', idempotencyKey: 'key' })
  expect(sent().init?.body).toBe('{"poolid":"p","vms":"100"}')
  expect(sent().headers).toMatchObject({
    'Content-Type': 'application/json',
    'corral-apply': 'token',
    'Idempotency-Key': 'key',
  })
  expect(sent().headers).toHaveProperty('CSRFPreventionToken')
})

test('a file goes along after the other parameters', async () => {
  const sent = answering(200, { data: 'UPID:x' })
  const params = { node: 'n', storage: 's', filename: new File(['x'], 'a.iso'), content: 'iso' }
  await call('POST /nodes/{node}/storage/{storage}/upload' as Operation, params as unknown as Params<Operation>)
  const body = sent().init?.body
  expect(body instanceof FormData ? [...body.keys()] : body).toEqual(['content', 'filename'])
  expect(sent().headers).not.toHaveProperty('Content-Type')
})

test('a plan is asked for by a header', async () => {
  const sent = answering(200, { data: { plan: { writes: [] }, token: 't' } })
  expect((await plan('DELETE /pools/{poolid}', { poolid: 'p' })).token).toBe('t')
  expect(sent().headers['corral-plan']).toBe('1')
})

test('what the API refuses is an error with its parameters', async () => {
  answering(400, { data: null, message: 'Parameter verification failed.\n', errors: { poolid: 'bad' } })
  const refused = call('POST /pools', { poolid: '!' })
  await expect(refused).rejects.toThrow('Parameter verification failed.')
  await expect(refused).rejects.toMatchObject({ status: 400, errors: { poolid: 'bad' } })
  await expect(refused).rejects.toBeInstanceOf(ApiError)
})

test('no answer at all is another error', async () => {
  vi.stubGlobal('fetch', async () => {
    throw new TypeError('network')
  })
  await expect(call('GET /version', {})).rejects.toBeInstanceOf(Unreachable)
})
