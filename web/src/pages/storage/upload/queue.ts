/** Files on their way to a storage: one after the other, going on while the user does something else. */
import { csrf, sessionLost } from '@/api/session'
import { createStore, useStore } from '@/live/store'
import { whenEnded } from '@/live/tasks'
import type { FileContent } from '@/pages/storage/upload/files'
import { type Sample, speedOf } from '@/pages/storage/upload/speed'

export type UploadState = 'queued' | 'sending' | 'placing' | 'done' | 'failed' | 'cancelled'

export interface UploadWish {
  file: File
  node: string
  storage: string
  content: FileContent
  filename: string
  checksum?: string
  algorithm?: string
}

export interface Upload extends UploadWish {
  id: number
  state: UploadState
  sent: number
  /** Bytes per second over the last seconds. */
  speed: number
  error?: string
  upid?: string
}

export const uploads = createStore<readonly Upload[]>([])
export const useUploads = (): readonly Upload[] => useStore(uploads)
export const volidOf = (upload: Pick<Upload, 'storage' | 'content' | 'filename'>): string =>
  `${upload.storage}:${upload.content}/${upload.filename}`

const OPEN: readonly UploadState[] = ['queued', 'sending', 'placing']
export const isOpen = (upload: Upload): boolean => OPEN.includes(upload.state)

const requests = new Map<number, XMLHttpRequest>()
let last = 0

function change(id: number, fields: Partial<Upload>): void {
  uploads.set(uploads.get().map((each) => (each.id === id ? { ...each, ...fields } : each)))
}

const find = (id: number): Upload | undefined => uploads.get().find((each) => each.id === id)

/** Send a file as soon as those before it are sent; answers the upload's number. */
export function enqueue(wish: UploadWish): number {
  last += 1
  uploads.set([...uploads.get(), { ...wish, id: last, state: 'queued', sent: 0, speed: 0 }])
  window.addEventListener('beforeunload', warn)
  next()
  return last
}

/** Stop an upload that is queued or being sent. */
export function cancel(id: number): void {
  if (!['queued', 'sending'].includes(find(id)?.state ?? '')) return
  change(id, { state: 'cancelled' })
  requests.get(id)?.abort()
  requests.delete(id)
  next()
}

/** Resolves with the volume's id when the file is in its place; an `Error` if it does not get there. */
export function uploadEnded(id: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const upload = find(id)
      if (upload && isOpen(upload)) return
      stop()
      if (upload?.state === 'done') resolve(volidOf(upload))
      else reject(new Error(upload?.error ?? 'cancelled'))
    }
    const stop = uploads.subscribe(look)
    look()
  })
}

function warn(event: BeforeUnloadEvent): void {
  // Once the file is at the node, the node goes on without this page.
  if (uploads.get().some(({ state }) => state === 'queued' || state === 'sending')) event.preventDefault()
}

function next(): void {
  if (uploads.get().some(({ state }) => state === 'sending')) return
  const first = uploads.get().find(({ state }) => state === 'queued')
  if (first) send(first)
}

/** The parts in the order that the API reads them: the file last. */
function formOf(upload: Upload): FormData {
  const form = new FormData()
  form.append('content', upload.content)
  if (upload.checksum && upload.algorithm) {
    form.append('checksum-algorithm', upload.algorithm)
    form.append('checksum', upload.checksum)
  }
  form.append('filename', upload.file, upload.filename)
  return form
}

function send(upload: Upload): void {
  const { id, node, storage } = upload
  const request = new XMLHttpRequest()
  const samples: Sample[] = []
  requests.set(id, request)
  change(id, { state: 'sending' })
  request.open('POST', `/api2/json/nodes/${encodeURIComponent(node)}/storage/${encodeURIComponent(storage)}/upload`)
  request.setRequestHeader('CSRFPreventionToken', csrf())
  request.setRequestHeader('Accept', 'application/json')
  request.upload.onprogress = (event) => {
    const now = performance.now() / 1000
    samples.push({ at: now, bytes: event.loaded })
    while (samples.length > 2 && now - (samples[0]?.at ?? now) > 4) samples.shift()
    change(id, { sent: Math.min(event.loaded, upload.file.size), speed: speedOf(samples) })
  }
  request.onload = () => void answered(id, request)
  request.onerror = () => ended(id, { state: 'failed', error: 'network' })
  request.send(formOf(upload))
}

interface Answer {
  data?: string | null
  message?: string
  errors?: Record<string, string>
}

function read(request: XMLHttpRequest): Answer {
  try {
    return JSON.parse(request.responseText) as Answer
  } catch {
    return {}
  }
}

async function answered(id: number, request: XMLHttpRequest): Promise<void> {
  const answer = read(request)
  if (request.status === 401) sessionLost()
  if (request.status !== 200 || typeof answer.data !== 'string') {
    const details = Object.values(answer.errors ?? {})
    ended(id, {
      state: 'failed',
      error: [answer.message?.trim() || request.statusText || String(request.status), ...details].join('\n'),
    })
    return
  }
  change(id, { state: 'placing', sent: find(id)?.file.size ?? 0, upid: answer.data })
  next()
  const status = await whenEnded(answer.data)
  const good = status === 'OK' || status.startsWith('WARNINGS')
  ended(id, good ? { state: 'done' } : { state: 'failed', error: status })
}

function ended(id: number, fields: Partial<Upload>): void {
  requests.delete(id)
  if (find(id)?.state !== 'cancelled') change(id, fields)
  next()
}
