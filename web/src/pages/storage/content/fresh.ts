/** Files in a storage are no records: their lists are read again when a task that makes or removes files has ended. */
import { refresh } from '@/api/query'
import { onEvent } from '@/live/stream'
import { parseUpid, type TaskEvent } from '@/live/tasks'

const TASKS = /^(imgcopy|imgdel|download|alloc|copy|prunebackups|vzdump)/
let started = false

export function keepContentFresh(): void {
  if (started) return
  started = true
  onEvent((event) => {
    if (event.kind !== 'task') return
    const events = (Array.isArray(event.data) ? event.data : [event.data]) as TaskEvent[]
    if (!events.some(({ upid, ended }) => ended && TASKS.test(parseUpid(upid).type))) return
    void refresh('GET /nodes/{node}/storage/{storage}/content')
    void refresh('GET /nodes/{node}/storage/{storage}/status')
    void refresh('GET /nodes/{node}/storage')
  })
}
