/** What can be chosen for devices: storages, volumes, bridges of the guest's node. */
import { useQueries } from '@tanstack/react-query'
import { call, type Result } from '@/api/client'
import { useApi } from '@/api/query'
import { useStorages } from '@/live/inventory'
import { bytes } from '@/ui/format'

export interface Choice {
  value: string
  label: string
}

/** Storages of a node that can hold something. */
export function useStorageChoices(node: string, content: string): Choice[] {
  return useStorages()
    .filter((each) => each.node === node && each.content.includes(content))
    .map(({ storage, plugintype, disk, maxdisk }) => ({
      value: storage,
      label: maxdisk > 0 ? `${storage} (${plugintype}, ${bytes(maxdisk - disk)})` : `${storage} (${plugintype})`,
    }))
}

export type Volume = Result<'GET /nodes/{node}/storage/{storage}/content'>[number]

/** Volumes of one kind on all storages of a node. */
export function useVolumes(node: string, content: string, enabled = true): Volume[] {
  const storages = useStorages().filter((each) => each.node === node && each.content.includes(content))
  return useQueries({
    queries: storages.map(({ storage }) => {
      const params = { node, storage, content }
      return {
        queryKey: ['GET /nodes/{node}/storage/{storage}/content', params],
        queryFn: () => call('GET /nodes/{node}/storage/{storage}/content', params),
        enabled,
      }
    }),
    combine: (results) => results.flatMap(({ data }) => data ?? []).filter((each) => each.content === content),
  })
}

export function useBridgeChoices(node: string): Choice[] {
  const { data } = useApi('GET /nodes/{node}/network', { node, type: 'any_bridge' })
  return (data ?? []).flatMap(({ iface, comments }) =>
    iface ? [{ value: iface, label: comments ? `${iface} (${comments.trim()})` : iface }] : [],
  )
}
