import { expect, test } from 'vitest'
import { afterTaskEvents, outcome, parseUpid, unheard, withRows } from '@/live/tasks'

const upid = (number: number) => `UPID:n1:0000${number}:0000:0000000${number}:qmstart:100:joe@pve:`
const [A, B] = [upid(1), upid(2)]

test('a task is followed from waiting to its end', () => {
  let all = afterTaskEvents(new Map(), [{ upid: A, running: { waiting: 'for guest/100' } }])
  expect(all.get(A)).toMatchObject({ phase: 'waiting', waiting: 'for guest/100', type: 'qmstart', id: '100' })
  all = afterTaskEvents(all, [{ upid: A, running: { phase: 'running', progress: 0.5, text: 'copying' } }])
  expect(all.get(A)).toMatchObject({ phase: 'running', progress: 0.5, waiting: undefined })
  all = afterTaskEvents(all, [{ upid: A, ended: { status: 'OK', endtime: 9 } }])
  expect(all.get(A)).toMatchObject({ status: 'OK', endtime: 9 })
})

test('a hidden end leaves nothing, and an end is never taken back', () => {
  const ended = afterTaskEvents(new Map(), [{ upid: A, ended: { status: 'OK', endtime: 9 } }])
  expect(afterTaskEvents(ended, [{ upid: A, running: {} }]).get(A)?.status).toBe('OK')
  expect(afterTaskEvents(ended, [{ upid: A, hidden: true }]).size).toBe(0)
})

test('a list of rows adds what events did not tell, in order of time', () => {
  const before = afterTaskEvents(new Map(), [{ upid: B, running: { progress: 0.3 } }])
  const all = withRows(before, [
    { upid: B, status: 'RUNNING' },
    { upid: A, status: 'OK', endtime: 5 },
  ])
  expect([...all.keys()]).toEqual([A, B])
  expect(all.get(B)?.progress).toBe(0.3)
})

test('a task that a new list of running ones does not name ended unheard', () => {
  const before = afterTaskEvents(new Map(), [
    { upid: A, running: {} },
    { upid: B, running: {} },
  ])
  expect(unheard(before, [{ upid: B, running: {} }])).toEqual([A])
})

test('of many ended tasks the newest stay, and running ones always', () => {
  const events = Array.from({ length: 300 }, (_, at) => ({
    upid: upid(at + 10),
    ended: { status: 'OK', endtime: at },
  }))
  const all = afterTaskEvents(new Map([[A, parseUpid(A)]]), events)
  expect(all.size).toBe(200)
  expect(all.has(A)).toBe(true)
  expect(all.has(upid(309))).toBe(true)
})

test('how a task ended is told by its status', () => {
  expect([undefined, 'OK', 'WARNINGS: 2', 'no space'].map(outcome)).toEqual(['running', 'ok', 'warning', 'error'])
})
