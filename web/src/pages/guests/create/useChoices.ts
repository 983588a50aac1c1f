/** What there is to choose from, and what the node decides where the user has not. */
import { useQueries } from '@tanstack/react-query'
import { useMemo } from 'react'
import { call, type Result } from '@/api/client'
import { useApi } from '@/api/query'
import { useGuests, useInventory, useNodes } from '@/live/inventory'
import { type Draft, useDraft } from '@/pages/guests/create/draft'
import { cpuFor, type Facts } from '@/pages/guests/create/params'
import { keepContentFresh } from '@/pages/storage/content/fresh'

keepContentFresh()

export type Volume = Result<'GET /nodes/{node}/storage/{storage}/content'>[number]
export type StorageFacts = Result<'GET /nodes/{node}/storage'>[number] & { storage: string }

export interface Choices {
  node: string
  nodes: string[]
  storages: StorageFacts[]
  /** ISO images and disk images of all storages, newest first. */
  images: Volume[]
  imagesRead: boolean
  bridges: string[]
  bridgesRead: boolean
  pools: string[]
  /** The names of all guests. */
  taken: ReadonlySet<string>
  nextid: string
  kvm: boolean
  /** Threads and MiB of the node; 0: not known. */
  threads: number
  memory: number
  facts: Facts
}

const holds = (storage: StorageFacts, content: string): boolean =>
  storage.enabled === 1 && storage.active === 1 && storage.content.split(',').includes(content)

/** Storages that take a kind of content, the one with the most room first. */
export const storagesFor = (storages: readonly StorageFacts[], content: string): StorageFacts[] =>
  storages.filter((each) => holds(each, content)).sort((a, b) => b.avail - a.avail)

function useImages(node: string, storages: StorageFacts[]) {
  const wanted = storages.flatMap(({ storage }) =>
    (['iso', 'import'] as const).map((content) => ({ node, storage, content })),
  )
  return useQueries({
    queries: wanted
      .filter(({ storage, content }) => storages.some((each) => each.storage === storage && holds(each, content)))
      .map((params) => ({
        queryKey: ['GET /nodes/{node}/storage/{storage}/content', params],
        queryFn: () => call('GET /nodes/{node}/storage/{storage}/content', params),
        enabled: node !== '',
      })),
    combine: (answers) => ({
      images: answers.flatMap(({ data }) => data ?? []).sort((a, b) => b.ctime - a.ctime),
      imagesRead: answers.every(({ isPending }) => !isPending),
    }),
  })
}

function useHost(node: string) {
  const { data } = useApi('GET /nodes/{node}/status', { node }, { enabled: node !== '', retry: false })
  const cpu = data?.cpuinfo as { flags?: string; hvm?: string; cpus?: number } | undefined
  const memory = data?.memory as { total?: number } | undefined
  return {
    kvm: cpu?.hvm !== '0',
    cpu: cpuFor(cpu?.flags, cpu?.hvm === '1'),
    threads: cpu?.cpus ?? 0,
    memory: Math.floor((memory?.total ?? 0) / 2 ** 20),
  }
}

function nodeFor(draft: Draft, online: string[]): string {
  return draft.node && online.includes(draft.node) ? draft.node : (online[0] ?? '')
}

export function useChoices(): Choices {
  const draft = useDraft()
  const rows = useNodes()
  const guests = useGuests()
  const { pools } = useInventory()
  const nodes = rows.filter(({ status }) => status === 'online').map(({ node }) => node)
  const node = nodeFor(draft, nodes)
  const known = { enabled: node !== '' }
  const { data: listed } = useApi('GET /nodes/{node}/storage', { node }, known)
  const storages = useMemo(() => (listed ?? []).filter((each): each is StorageFacts => Boolean(each.storage)), [listed])
  const { images, imagesRead } = useImages(node, storages)
  const network = useApi('GET /nodes/{node}/network', { node, type: 'any_bridge' }, known)
  const { data: nextid } = useApi('GET /cluster/nextid', {}, { staleTime: 0 })
  const { kvm, cpu, threads, memory } = useHost(node)
  const taken = useMemo(() => new Set(guests.map(({ name }) => name)), [guests])
  const bridges = (network.data ?? []).map(({ iface }) => iface ?? '').filter(Boolean)
  const disks = storagesFor(storages, 'images')
  const chosen = disks.some(({ storage }) => storage === draft.diskStorage) ? draft.diskStorage : disks[0]?.storage
  const free = nextid === undefined ? '' : String(nextid)
  return {
    node,
    nodes,
    storages,
    images,
    imagesRead: imagesRead && listed !== undefined,
    bridges,
    bridgesRead: network.data !== undefined,
    pools: [...pools.keys()].sort(),
    taken,
    nextid: free,
    kvm,
    threads,
    memory,
    facts: { node, diskStorage: chosen ?? '', bridge: bridges[0] ?? '', cpu, vmid: free },
  }
}
