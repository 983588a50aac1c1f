/** What the API said of the last attempt, by parameter; fields take theirs from here. */
import { createStore, useStore } from '@/live/store'

export const errors = createStore<Readonly<Record<string, string>>>({})
export const useErrors = (): Readonly<Record<string, string>> => useStore(errors)
