import { useCallback, useEffect, useRef, useState } from 'react'
import { call } from '@/api/client'
import { type Filter, type Line, merged, PAGE, paramsOf, parsed } from '@/pages/nodes/journal'

interface Journal {
  lines: readonly Line[]
  /** There may be older ones. */
  more: boolean
  error: unknown
  loading: boolean
}

const EMPTY: Journal = { lines: [], more: false, error: null, loading: true }

/** A node's log by a filter: read when asked, older and newer lines by request. */
export function useJournal(node: string, filter: Filter) {
  const [journal, setJournal] = useState<Journal>(EMPTY)
  const [round, setRound] = useState(0)
  const latest = useRef(journal)
  latest.current = journal
  const { unit, priority, since, until } = filter

  const read = useCallback(
    async (place: { before?: Line; after?: Line }, signal?: AbortSignal) =>
      parsed(
        await call(
          'GET /nodes/{node}/journal',
          { node, ...paramsOf({ unit, priority, since, until }, place) },
          { signal },
        ),
      ),
    [node, unit, priority, since, until],
  )

  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` asks for another try
  useEffect(() => {
    const control = new AbortController()
    setJournal(EMPTY)
    read({}, control.signal).then(
      (lines) => setJournal({ lines, more: lines.length >= PAGE, error: null, loading: false }),
      (error: unknown) => {
        if (!control.signal.aborted) setJournal({ ...EMPTY, error, loading: false })
      },
    )
    return () => control.abort()
  }, [read, round])

  /** Read what is beside the lines that are there; answers how many came. */
  const extend = useCallback(
    async (where: 'older' | 'newer'): Promise<number> => {
      const { lines } = latest.current
      const [first, last] = [lines[0], lines.at(-1)]
      setJournal((before) => ({ ...before, loading: true }))
      try {
        const answer = await read(where === 'older' ? { before: first } : last ? { after: last } : {})
        const next = where === 'older' ? merged(answer, lines) : merged(lines, answer)
        const came = next.length - lines.length
        const more = where === 'older' ? came > 0 : latest.current.more
        setJournal({ lines: next, more, error: null, loading: false })
        return came
      } catch (error) {
        setJournal((before) => ({ ...before, error, loading: false }))
        return 0
      }
    },
    [read],
  )

  return { ...journal, extend, retry: () => setRound((before) => before + 1) }
}
