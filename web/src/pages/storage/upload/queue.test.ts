import { beforeEach, expect, it, vi } from 'vitest'

const ended = new Map<string, (status: string) => void>()
vi.mock('@/live/tasks', () => ({
  whenEnded: (upid: string) => new Promise<string>((resolve) => ended.set(upid, resolve)),
}))

import { cancel, enqueue, type UploadWish, uploadEnded, uploads } from './queue'

/** What stands between the page and the node. */
class Wire {
  static sent: Wire[] = []
  upload: { onprogress?: (event: { loaded: number }) => void } = {}
  onload = () => {}
  onerror = () => {}
  status = 0
  statusText = ''
  responseText = ''
  url = ''
  body = new FormData()
  aborted = false
  open(_: string, url: string) {
    this.url = url
  }
  setRequestHeader() {}
  send(body: FormData) {
    this.body = body
    Wire.sent.push(this)
  }
  abort() {
    this.aborted = true
  }
  answer(status: number, body: unknown) {
    this.status = status
    this.responseText = JSON.stringify(body)
    this.onload()
  }
}

const wish = (filename: string, more: Partial<UploadWish> = {}): UploadWish => ({
  file: new File(['12345'], filename),
  node: 'n1',
  storage: 'local',
  content: 'iso',
  filename,
  ...more,
})
const stateOf = (id: number) => uploads.get().find((each) => each.id === id)?.state
const settled = () => new Promise((resolve) => setTimeout(resolve, 0))

beforeEach(() => {
  Wire.sent = []
  uploads.set([])
  vi.stubGlobal('XMLHttpRequest', Wire)
  vi.stubGlobal('window', new EventTarget())
})

it('the checksum goes before the file', () => {
  enqueue(wish('a.iso', { checksum: 'ab', algorithm: 'sha256' }))
  expect([...(Wire.sent[0]?.body.keys() ?? [])]).toEqual(['content', 'checksum-algorithm', 'checksum', 'filename'])
  expect(Wire.sent[0]?.url).toBe('/api2/json/nodes/n1/storage/local/upload')
})

it('files go one after the other, and are done when their task is', async () => {
  const [first, second] = [enqueue(wish('a.iso')), enqueue(wish('b.iso'))]
  expect([stateOf(first), stateOf(second)]).toEqual(['sending', 'queued'])
  Wire.sent[0]?.answer(200, { data: 'UPID:1' })
  expect([stateOf(first), stateOf(second)]).toEqual(['placing', 'sending'])
  const there = uploadEnded(first)
  ended.get('UPID:1')?.('OK')
  expect(await there).toBe('local:iso/a.iso')
})

it('what the node says against a file is told', async () => {
  const id = enqueue(wish('a.iso'))
  const there = uploadEnded(id)
  Wire.sent[0]?.answer(400, { data: null, message: 'Parameter verification failed.\n', errors: { filename: 'bad' } })
  await expect(there).rejects.toThrow('Parameter verification failed.\nbad')
  const other = enqueue(wish('b.iso'))
  Wire.sent[1]?.answer(200, { data: 'UPID:2' })
  ended.get('UPID:2')?.('checksum mismatch')
  await settled()
  expect(uploads.get().find((each) => each.id === other)).toMatchObject({ state: 'failed', error: 'checksum mismatch' })
})

it('a cancelled one makes way for the next', () => {
  const [first, second] = [enqueue(wish('a.iso')), enqueue(wish('b.iso'))]
  cancel(first)
  expect(Wire.sent[0]?.aborted).toBe(true)
  expect([stateOf(first), stateOf(second)]).toEqual(['cancelled', 'sending'])
})

it('leaving the page is asked about only while something is being sent', () => {
  const id = enqueue(wish('a.iso'))
  const leave = () => {
    const event = new Event('beforeunload', { cancelable: true })
    window.dispatchEvent(event)
    return event.defaultPrevented
  }
  expect(leave()).toBe(true)
  cancel(id)
  expect(leave()).toBe(false)
})
