import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { due, hear, logIn, logOut, restoreSession, sessionRefused, sessionState } from '@/api/session'

const NOW = Date.parse('2026-01-01T12:00:00Z')
let answers: (Response | Error)[] = []
let asked: string[] = []

function session(username: string, csrf: string, more: object = {}): Response {
  const data = { username, CSRFPreventionToken: csrf, expires: NOW / 1000 + 7200, cap: {}, ...more }
  return new Response(JSON.stringify({ data }), { headers: { date: new Date(NOW).toUTCString() } })
}
const nobody = () => new Response(JSON.stringify({ data: null }))

beforeEach(() => {
  vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
    asked.push(String(init.method))
    const answer = answers.shift()
    if (!answer || answer instanceof Error) throw answer ?? new TypeError('no answer')
    return answer
  })
  answers = []
  asked = []
})
afterEach(() => {
  hear({ type: 'out' })
  vi.unstubAllGlobals()
})

async function open(): Promise<void> {
  answers = [session('joe@pve', 'one')]
  await restoreSession()
}

test('what counts is how long the ticket lasts, whatever this computer’s clock says', async () => {
  await open()
  const now = sessionState()
  expect(now.kind === 'open' && Math.abs(now.session.until - Date.now() - 7200_000)).toBeLessThan(5000)
  expect(due(now, Date.now())).toBe(false)
  expect(due(now, Date.now() + 5401_000)).toBe(true)
})

test('a refused call goes on at once where another tab has renewed', async () => {
  await open()
  answers = [session('joe@pve', 'two')]
  expect(await sessionRefused()).toBe(true)
  expect(sessionState()).toMatchObject({ kind: 'open', session: { csrf: 'two' } })
})

test('many refused calls wait for one log-in', async () => {
  await open()
  answers = [nobody()]
  const waiting = [sessionRefused(), sessionRefused()]
  await vi.waitFor(() => expect(sessionState().kind).toBe('lost'))
  expect(asked.filter((method) => method === 'GET').length).toBe(2)
  answers = [session('joe@pve', 'three')]
  await logIn({ username: 'joe', realm: 'pve', password: 'x', remember: false })
  expect(await Promise.all(waiting)).toEqual([true, true])
})

test('what one user wanted is not done as another', async () => {
  await open()
  answers = [nobody()]
  const waiting = sessionRefused()
  await vi.waitFor(() => expect(sessionState().kind).toBe('lost'))
  answers = [session('eve@pve', 'four')]
  await logIn({ username: 'eve', realm: 'pve', password: 'x', remember: false })
  expect(await waiting).toBe(false)
})

test('a node that is away does not end the session', async () => {
  await open()
  answers = [new TypeError('away')]
  expect(await sessionRefused()).toBe(false)
  expect(sessionState().kind).toBe('open')
})

test('a second factor is asked for, and other tabs’ log-out counts here', async () => {
  answers = [session('joe@pve', '', { NeedTFA: 1, challenge: 'c' })]
  const step = await logIn({ username: 'joe', realm: 'pve', password: 'x', remember: false })
  expect(step).toEqual({ kind: 'factor', username: 'joe@pve', challenge: 'c' })
  await open()
  hear({ type: 'out' })
  expect(sessionState().kind).toBe('none')
})

test('who logged out while the node was away is logged out by the next visit', async () => {
  await open()
  await logOut()
  expect(sessionState().kind).toBe('none')
  asked = []
  await restoreSession()
  expect([asked, sessionState().kind]).toEqual([['DELETE'], 'none'])
  answers = [nobody(), nobody()]
  await restoreSession()
  expect([asked, sessionState().kind]).toEqual([['DELETE', 'DELETE', 'GET'], 'none'])
  answers = [session('joe@pve', 'one')]
  await restoreSession()
  expect(asked.at(-1)).toBe('GET')
  expect(sessionState().kind).toBe('open')
})

test('a log-in is kept, though one was to be ended before', async () => {
  await open()
  await logOut()
  answers = [session('joe@pve', 'two')]
  await logIn({ username: 'joe', realm: 'pve', password: 'x', remember: false })
  answers = [session('joe@pve', 'two')]
  await restoreSession()
  expect(sessionState().kind).toBe('open')
})
