/** What this browser remembers: small values in the local storage, shared by all tabs. */
import { useSyncExternalStore } from 'react'

const parsed = new Map<string, { text: string | null; value: unknown }>()
/** What the browser did not store. */
const unstored = new Map<string, string>()
const listeners = new Set<() => void>()

/** The value kept under `key`, or `other`. Answers the same object until it is changed. */
export function kept<T>(key: string, other: T): T {
  const text = read(key)
  const known = parsed.get(key)
  if (known && known.text === text) return known.value as T
  let value: unknown = other
  try {
    if (text !== null) value = JSON.parse(text)
  } catch {
    value = other
  }
  parsed.set(key, { text, value })
  return value as T
}

function read(key: string): string | null {
  const held = unstored.get(key)
  if (held !== undefined) return held
  try {
    return localStorage.getItem(key)
  } catch {
    return null // a browser that forbids it
  }
}

export function keep(key: string, value: unknown): void {
  const text = JSON.stringify(value)
  parsed.set(key, { text, value })
  try {
    localStorage.setItem(key, text)
    unstored.delete(key)
  } catch {
    unstored.set(key, text) // full or forbidden: it holds until the page is closed
  }
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  window.addEventListener('storage', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', listener)
  }
}

/** As `useState`, but remembered. `other` must be a constant. */
export function useKept<T>(key: string, other: T): [T, (next: T) => void] {
  const value = useSyncExternalStore(subscribe, () => kept(key, other))
  return [value, (next) => keep(key, next)]
}
