/** From the wizard's last click to the running guest, going on after the wizard has closed: image, guest, size, start. */
import { Button, Group, Text } from '@mantine/core'
import i18next from 'i18next'
import { ApiError, call, plan } from '@/api/client'
import { refresh } from '@/api/query'
import { parseUpid, whenEnded } from '@/live/tasks'
import { type Draft, discard, draft as drafts, EMPTY } from '@/pages/guests/create/draft'
import { createParams, diskBus, type Facts, mustGrow, withoutSource } from '@/pages/guests/create/params'
import { uploadEnded, uploads } from '@/pages/storage/upload/queue'
import { router } from '@/router'
import { explain, followTask } from '@/ui/act'
import { notify } from '@/ui/notify'

const CONTENT = 'GET /nodes/{node}/storage/{storage}/content'
const good = (status: string): boolean => status === 'OK' || status.startsWith('WARNINGS')

async function ended(upid: string): Promise<void> {
  const status = await whenEnded(upid)
  if (!good(status)) throw new Error(status)
}

/** Whether the source is still on its way. */
export function isPending({ source }: Draft): boolean {
  if (source.kind === 'download') return true
  if (source.kind !== 'upload') return false
  return uploads.get().find(({ id }) => id === source.upload)?.state !== 'done'
}

/** Begin the download that the draft names; what is wrong with it is thrown here. */
async function beginDownload(draft: Draft, facts: Facts): Promise<string | undefined> {
  const { source } = draft
  if (source.kind !== 'download') return undefined
  const upid = await call(
    'POST /nodes/{node}/storage/{storage}/download-url',
    {
      node: facts.node,
      storage: source.storage,
      content: source.content,
      filename: source.filename,
      url: source.url,
      ...(source.checksum && source.algorithm
        ? { checksum: source.checksum, 'checksum-algorithm': source.algorithm as 'sha256' }
        : {}),
    },
    { idempotencyKey: crypto.randomUUID() },
  )
  followTask(i18next.t('wizard:downloading', { name: source.filename }), upid)
  return upid
}

/** Resolves when the source is in its place. */
async function arrived(draft: Draft, download: string | undefined): Promise<void> {
  if (download) {
    await ended(download)
    void refresh(CONTENT)
  }
  if (draft.source.kind === 'upload') await uploadEnded(draft.source.upload)
}

/** Whether the number belongs to another guest: also to one made since it was free. */
export const isTaken = (error: unknown): boolean =>
  error instanceof ApiError && /already exists|in use/.test(`${error.message} ${error.errors.vmid ?? ''}`)

async function create(draft: Draft, facts: Facts, apply?: string): Promise<string> {
  const attempt = (known: Facts, token?: string) =>
    call('POST /nodes/{node}/qemu', createParams(draft, known), { apply: token, idempotencyKey: crypto.randomUUID() })
  const upid = await attempt(facts, apply).catch((error: unknown) => {
    if (draft.vmid || !isTaken(error)) throw error
    return attempt({ ...facts, vmid: '' })
  })
  followTask(i18next.t('wizard:creating', { name: draft.name || parseUpid(upid).id }), upid)
  return upid
}

const GiB = 2 ** 30
const UNITS: Record<string, number> = { K: 2 ** 10, M: 2 ** 20, G: GiB, T: 2 ** 40 }

/** Bytes of a drive by its `size=`. */
export function sizeOf(drive: string | undefined): number {
  const found = /(?:^|,)size=(\d+(?:\.\d+)?)([KMGT]?)/.exec(drive ?? '')
  return found ? Number(found[1]) * (UNITS[found[2] ?? ''] ?? 1) : 0
}

/** Give the copied disk its size, then start; for guests whose creation could do neither. */
async function finish(draft: Draft, node: string, vmid: number): Promise<void> {
  const disk = diskBus(draft)
  const config = (await call('GET /nodes/{node}/qemu/{vmid}/config', { node, vmid })) as Record<string, unknown>
  if (sizeOf(String(config[disk] ?? '')) < draft.disk * GiB) {
    const upid = await call('PUT /nodes/{node}/qemu/{vmid}/resize', { node, vmid, disk, size: `${draft.disk}G` })
    if (typeof upid === 'string') await ended(upid)
  }
  if (!draft.start) return
  const upid = await call('POST /nodes/{node}/qemu/{vmid}/status/start', { node, vmid })
  followTask(i18next.t('wizard:starting', { name: draft.name || vmid }), upid)
  await ended(upid)
}

/** How many guests wait for their image in this page. */
let waiting = 0
const warn = (event: BeforeUnloadEvent): void => event.preventDefault()

function hold(by: 1 | -1): void {
  waiting += by
  if (waiting > 0) window.addEventListener('beforeunload', warn)
  else window.removeEventListener('beforeunload', warn)
}

const reopen = (): void => void router.navigate({ to: '.', search: (all) => ({ ...all, create: 'vm' }) })

/** What was entered comes back, so that only what is wrong has to be mended. */
function failed(draft: Draft, error: unknown): void {
  if (drafts.get() === EMPTY) drafts.set(draft)
  const id = `create-failed-${Date.now()}`
  notify.show({
    id,
    color: 'red',
    autoClose: false,
    title: i18next.t('wizard:notCreated', { name: draft.name }),
    message: (
      <Group gap="xs">
        <Text size="sm" style={{ whiteSpace: 'pre-wrap' }}>
          {explain(error)}
        </Text>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            notify.hide(id)
            reopen()
          }}
        >
          {i18next.t('wizard:openAgain')}
        </Button>
      </Group>
    ),
  })
}

function openConsole(vmid: number): void {
  void router.navigate({ to: '/guests/$vmid/$tab', params: { vmid: String(vmid), tab: 'console' } })
}

async function follow(draft: Draft, facts: Facts, upid: string): Promise<void> {
  const vmid = Number(parseUpid(upid).id)
  await ended(upid)
  if (mustGrow(draft)) await finish(draft, facts.node, vmid)
  if (draft.start && draft.console) openConsole(vmid)
}

async function later(draft: Draft, facts: Facts, download: string | undefined): Promise<void> {
  const id = `create-waits-${Date.now()}`
  const title = i18next.t('wizard:waiting', { name: draft.name })
  const message = i18next.t('wizard:waitingHint')
  notify.show({ id, title, message, loading: true, autoClose: false })
  hold(1)
  try {
    await arrived(draft, download)
    notify.hide(id)
    await follow(draft, facts, await create(draft, facts))
  } catch (error) {
    notify.hide(id)
    failed(draft, error)
  } finally {
    hold(-1)
  }
}

/**
 * Make the guest. Resolves as soon as the node has taken the call, or the image is on its way and the rest was checked;
 * throws what the API says against it. What comes after that is told by toasts.
 */
export async function submit(draft: Draft, facts: Facts, apply?: string): Promise<void> {
  if (isPending(draft)) {
    await plan('POST /nodes/{node}/qemu', withoutSource(createParams(draft, facts), draft.disk))
    const download = await beginDownload(draft, facts)
    discard()
    void later(draft, facts, download)
    return
  }
  const upid = await create(draft, facts, apply)
  discard()
  void follow(draft, facts, upid).catch((error) => failed(draft, error))
}
