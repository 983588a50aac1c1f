/** How somebody likes a table: remembered by the browser. */
import { useCallback, useState } from 'react'
import { createStore, useStore } from '@/live/store'
import type { Column } from './types'

export interface Settings {
  /** Columns chosen or hidden against what the page says. */
  shown: Readonly<Record<string, boolean>>
  widths: Readonly<Record<string, number>>
}

export type Density = 'comfortable' | 'compact'

const EMPTY: Settings = { shown: {}, widths: {} }
const DENSITY = 'corral.density'
const density = createStore<Density>(localStorage.getItem(DENSITY) === 'compact' ? 'compact' : 'comfortable')

function read(key: string): Settings {
  try {
    const stored = JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Settings>
    return { shown: stored.shown ?? {}, widths: stored.widths ?? {} }
  } catch {
    return EMPTY
  }
}

export function useSettings(id: string): [Settings, (next: Settings) => void] {
  const key = `corral.table.${id}`
  const [settings, set] = useState(() => read(key))
  const change = useCallback(
    (next: Settings) => {
      localStorage.setItem(key, JSON.stringify(next))
      set(next)
    },
    [key],
  )
  return [settings, change]
}

/** One density for all tables. */
export function useDensity(): [Density, (next: Density) => void] {
  const change = (next: Density) => {
    localStorage.setItem(DENSITY, next)
    density.set(next)
  }
  return [useStore(density), change]
}

export const isShown = (column: Column<never>, settings: Settings): boolean =>
  column.required || (settings.shown[column.id] ?? !column.optional)
