/** The volumes of a storage, as its page shows them. */
import type { Result } from '@/api/client'
import type { Job } from '@/ui/Bulk/jobs'

export type Volume = Result<'GET /nodes/{node}/storage/{storage}/content'>[number]

/** Content types in the order of the page's tabs. */
export const CONTENTS = ['images', 'iso', 'import', 'backup', 'vztmpl', 'snippets', 'rootdir'] as const
export type Content = (typeof CONTENTS)[number]

/** Those that a storage is for. Containers' volumes are shown when there are any containers. */
export function contentsOf(text: string): Content[] {
  const there = new Set(text.split(','))
  return CONTENTS.filter((each) => each !== 'rootdir' && there.has(each))
}

/** The name in the storage: what stands after the colon. */
export const volname = (volid: string): string => volid.slice(volid.indexOf(':') + 1)

/** The name of the file, without its directory. */
export const filename = (volid: string): string => volid.slice(volid.lastIndexOf('/') + 1).replace(/^[^:/]+:/, '')

/** What a guest can be made from. */
export const isSource = (volume: Volume): boolean => volume.content === 'iso' || volume.content === 'import'

/** The removal of several volumes, without those that are protected. */
export const removals = (volumes: readonly Volume[], place: { node: string; storage: string }): Job[] =>
  volumes
    .filter((volume) => volume.protected !== 1)
    .map(({ volid }) => ({
      key: volid,
      label: filename(volid),
      operation: 'DELETE /nodes/{node}/storage/{storage}/content/{volume}',
      params: { ...place, volume: volname(volid) },
    }))
