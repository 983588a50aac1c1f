/** Favourites and what was looked at last, in this browser. */
import { keep, kept, useKept } from '@/api/kept'
import type { Ref } from '@/shell/refs'

const FAVOURITES = 'corral.favourites'
const RECENT = 'corral.recent'
const MOST = 8
const NONE: readonly Ref[] = []

export const useFavourites = (): readonly Ref[] => useKept(FAVOURITES, NONE)[0]
export const useRecent = (): readonly Ref[] => useKept(RECENT, NONE)[0]

/** A list with `ref` put in front, at most `most` long. */
export const inFront = (refs: readonly Ref[], ref: Ref, most = MOST): readonly Ref[] =>
  [ref, ...refs.filter((each) => each !== ref)].slice(0, most)

export const noteRecent = (ref: Ref): void => keep(RECENT, inFront(kept(RECENT, NONE), ref))

export function toggleFavourite(ref: Ref): void {
  const now = kept(FAVOURITES, NONE)
  keep(FAVOURITES, now.includes(ref) ? now.filter((each) => each !== ref) : [...now, ref])
}
