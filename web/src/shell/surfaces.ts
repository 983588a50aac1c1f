/** What lies over the page: at most one of these is open. */
import { createStore, useSelected } from '@/live/store'

export type Surface = 'search' | 'tasks' | 'shortcuts' | 'password' | 'nav'

interface Surfaces {
  open: Surface | null
  /** The task whose log the drawer shows. */
  task: string | null
}

export const surfaces = createStore<Surfaces>({ open: null, task: null })

export const show = (open: Surface): void => surfaces.set({ open, task: null })
export const hide = (): void => surfaces.set({ open: null, task: null })
export const toggle = (surface: Surface): void => (surfaces.get().open === surface ? hide() : show(surface))

/** The drawer with the log of one task. */
export const showTask = (upid: string): void => surfaces.set({ open: 'tasks', task: upid })
export const showTasks = (): void => show('tasks')

export const useOpen = (surface: Surface): boolean => useSelected(surfaces, (now) => now.open === surface)
export const useShownTask = (): string | null => useSelected(surfaces, (now) => now.task)
