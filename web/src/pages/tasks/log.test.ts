import { afterEach, expect, test, vi } from 'vitest'
import { followLog, type LogState, plainLine, withLines } from '@/pages/tasks/log'

const UPID = 'UPID:n1:00000001:00000000:00000001:qmstart:100:joe@pve:'
const ESC = '\u001b'

afterEach(() => vi.unstubAllGlobals())

test('colours, titles and cursor movements are no text', () => {
  expect(plainLine(`${ESC}[1;31mred${ESC}[0m ${ESC}]0;title\u0007plain`)).toBe('red plain')
  expect(plainLine('10%\r20%\r30%\r')).toBe('30%')
  expect(plainLine('a\u0000b\tc')).toBe('ab\tc')
})

test('lines that come twice after a resume are shown once', () => {
  const first = withLines(
    [],
    [
      { n: 1, t: 'a' },
      { n: 2, t: 'b' },
    ],
  )
  expect(
    withLines(first, [
      { n: 2, t: 'b' },
      { n: 3, t: 'c' },
    ]),
  ).toEqual(['a', 'b', 'c'])
  expect(withLines(first, [{ n: 1, t: 'a' }])).toBe(first)
})

function answer(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } })
}

const states = (asked: Response[]) =>
  new Promise<{ all: LogState[]; headers: unknown[] }>((resolve) => {
    const all: LogState[] = []
    const headers: unknown[] = []
    vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
      headers.push((init.headers as Record<string, string>)['Last-Event-ID'])
      return asked.shift() ?? answer('')
    })
    followLog(UPID, (state) => {
      all.push(state)
      if (state.ended !== undefined || state.trouble === 'missing') resolve({ all, headers })
    })
  })

test('a log is read to its end', async () => {
  const text = 'event: lines\nid: 2\ndata: [{"n":1,"t":"a"},{"n":2,"t":"b"}]\n\nevent: end\ndata: {"status":"OK"}\n\n'
  const { all } = await states([answer(text)])
  expect(all.at(-1)).toMatchObject({ lines: ['a', 'b'], ended: 'OK', ready: true })
})

test('a broken stream goes on after the last line', async () => {
  const { all, headers } = await states([
    answer('event: lines\nid: 1\ndata: [{"n":1,"t":"a"}]\n\n'),
    answer('event: lines\nid: 2\ndata: [{"n":2,"t":"b"}]\n\nevent: end\ndata: {"status":"OK"}\n\n'),
  ])
  expect(headers).toEqual([undefined, '1'])
  expect(all.at(-1)).toMatchObject({ lines: ['a', 'b'], ended: 'OK' })
})

test('a log that is not there is said to be missing', async () => {
  const { all } = await states([new Response('', { status: 400 })])
  expect(all.at(-1)?.trouble).toBe('missing')
})
