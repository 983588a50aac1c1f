import { expect, test } from 'vitest'
import { backoff, type Frame, frameParser } from '@/live/sse'

function parse(...pieces: string[]): Frame[] {
  const found: Frame[] = []
  const take = frameParser((frame) => found.push(frame))
  for (const piece of pieces) take(piece)
  return found
}

test('frames are found however the text is cut', () => {
  const text = 'event: change\nid: 1.4\ndata: {"a":1}\n\n: \n\nevent: status\ndata: []\n\n'
  const whole = [
    { event: 'change', id: '1.4', data: '{"a":1}' },
    { event: 'status', id: '', data: '[]' },
  ]
  expect(parse(text)).toEqual(whole)
  expect(parse(...text)).toEqual(whole)
})

test('lines of data are joined, and a comment makes no event', () => {
  expect(parse(': hello\n\ndata: a\r\ndata: b\r\n\r\n')).toEqual([{ event: 'message', id: '', data: 'a\nb' }])
})

test('pauses grow from half a second to at most fifteen, and differ', () => {
  expect(backoff(1, () => 0)).toBe(500)
  expect(backoff(1, () => 1)).toBe(1000)
  expect(backoff(3, () => 1)).toBe(4000)
  expect(backoff(40, () => 1)).toBe(15_000)
})
