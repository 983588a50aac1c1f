/** What was read is read again when the records that it came from change: the one place that knows which are which. */
import type { Query } from '@tanstack/react-query'
import { queries } from '@/api/query'
import { onEvent } from '@/live/stream'
import type { ChangeEvent } from '@/live/types'

type Params = Record<string, unknown>

/** Whether the answer of an operation depends on a record. */
export function depends(operation: string, params: Params, key: string): boolean {
  const path = operation.slice(operation.indexOf(' ') + 1)
  const [family = '', name = ''] = key.split('/')
  if (path.startsWith('/cluster/history')) return true
  if (family === 'guest')
    return path.includes('{vmid}') ? String(params.vmid) === name : /\/(qemu|content|pools)/.test(path)
  if (key === 'storage.cfg') return path.includes('storage')
  if (key === 'user.cfg' || key === 'token.cfg') return path.startsWith('/access') || path.startsWith('/pools')
  if (key === 'datacenter.cfg') return path.startsWith('/cluster/options')
  if (family === 'node') return path.startsWith('/nodes')
  return false
}

export function startChanges(): () => void {
  return onEvent((event) => {
    if (event.kind === 'reset') void queries.invalidateQueries()
    if (event.kind !== 'change') return
    const { records } = event.data as ChangeEvent
    void queries.invalidateQueries({
      predicate: (query: Query) => {
        const [operation, params] = query.queryKey as [string, Params?]
        return records.some(({ key }) => depends(operation, params ?? {}, key))
      },
    })
  })
}
