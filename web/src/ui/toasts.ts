/** Which tasks share a toast: those that were begun in one go. Pure. */

export interface Followed {
  upid: string
  title: string
  /** When (ms) it was begun. */
  at: number
}

export interface Toast {
  id: string
  tasks: readonly Followed[]
}

/** Tasks begun within so long (ms) of one another are one deed… */
export const BURST = 2000
/** …where they are at least so many. */
export const MANY = 3

/** The toasts with one more task: of its own, or with those that were begun just before. */
export function withTask(
  toasts: readonly Toast[],
  task: Followed,
): { toasts: readonly Toast[]; shown: Toast; gone: readonly string[] } {
  const near = toasts.filter((toast) => toast.tasks.some((each) => task.at - each.at < BURST))
  const group = near.find((toast) => toast.tasks.length > 1)
  const together = near.flatMap((toast) => toast.tasks).length + 1
  if (!group && together < MANY) {
    const shown: Toast = { id: task.upid, tasks: [task] }
    return { toasts: [...toasts, shown], shown, gone: [] }
  }
  const merged = group ? [group] : near
  const shown: Toast = {
    id: group?.id ?? `group ${task.upid}`,
    tasks: [...merged.flatMap((toast) => toast.tasks), task],
  }
  const gone = merged.map((toast) => toast.id).filter((id) => id !== shown.id)
  return { toasts: [...toasts.filter((toast) => !merged.includes(toast)), shown], shown, gone }
}
