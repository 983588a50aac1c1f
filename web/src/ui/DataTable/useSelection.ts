import { useMemo, useRef, useState } from 'react'
import { NOTHING, ranged, type Selection, toggled } from './selection'
import type { View } from './useView'

/** The chosen rows. Those that a filter hides don't count: nobody acts on what isn't seen. */
export function useSelection<Row>({ keys, rows, index }: Pick<View<Row>, 'keys' | 'rows' | 'index'>) {
  const [chosen, setChosen] = useState<Selection>(NOTHING)
  const anchor = useRef(0)
  const count = useMemo(() => {
    let found = 0
    for (const key of chosen) if (index.has(key)) found += 1
    return found
  }, [chosen, index])

  return {
    count,
    has: (key: string) => chosen.has(key),
    rows: () => rows.filter((_, at) => chosen.has(keys[at] ?? '')),
    clear: () => setChosen(NOTHING),
    all: () => setChosen(new Set(keys)),
    toggle(at: number) {
      anchor.current = at
      setChosen(toggled(chosen, keys[at] ?? ''))
    },
    /** From the row chosen last to this one. */
    range: (at: number) => setChosen(ranged(chosen, keys, anchor.current, at)),
  }
}

export type SelectionState = ReturnType<typeof useSelection>
