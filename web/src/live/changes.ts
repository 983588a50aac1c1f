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
  if (path.startsWith('/cluster/history') || path.startsWith('/cluster/log')) return true
  if (family === 'guest')
    return path.includes('{vmid}')
      ? String(params.vmid) === name
      : /\/(qemu|lxc|content|pools|resources|nextid)/.test(path)
  if (key === 'storage.cfg') return path.includes('storage') || path.startsWith('/cluster/resources')
  if (key === 'user.cfg' || key === 'token.cfg') return /^\/(access|pools|cluster\/resources)/.test(path)
  if (key === 'domains.cfg') return path.startsWith('/access')
  if (key === 'datacenter.cfg') return path.startsWith('/cluster/options')
  if (family === 'node') return path.startsWith('/nodes') && (!params.node || params.node === name)
  return false
}

const TOGETHER = 100

export function startChanges(): () => void {
  let keys = new Set<string>()
  let timer = 0

  function flush(): void {
    const changed = [...keys]
    keys = new Set()
    timer = 0
    void queries.invalidateQueries({
      predicate: (query: Query) => {
        const [operation, params] = query.queryKey as [string, Params?]
        return changed.some((key) => depends(String(operation), params ?? {}, key))
      },
    })
  }

  const stop = onEvent((event) => {
    if (event.kind === 'reset') void queries.invalidateQueries()
    if (event.kind !== 'change') return
    for (const { key } of (event.data as ChangeEvent).records) keys.add(key)
    timer ||= window.setTimeout(flush, TOGETHER)
  })
  return () => {
    window.clearTimeout(timer)
    stop()
  }
}
