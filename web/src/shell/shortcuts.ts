/** Keys for all that is done often. Pages add their own with `useShortcuts`; `?` shows all that hold at the moment. */
import { useEffect, useRef } from 'react'
import { createStore, useStore } from '@/live/store'

export interface Shortcut {
  /** Keys one after the other: `g n`; `mod+k` is with Ctrl or Command and works while typing too. */
  keys: string
  label: string
  /** Under which heading it is shown. */
  group: 'go' | 'do' | 'page'
  run: () => void
}

const shortcuts = createStore<readonly Shortcut[]>([])
export const useAllShortcuts = (): readonly Shortcut[] => useStore(shortcuts)

/** Add shortcuts; answers the function that takes them away. Later ones win. */
export function addShortcuts(added: readonly Shortcut[]): () => void {
  shortcuts.set([...shortcuts.get(), ...added])
  return () => shortcuts.set(shortcuts.get().filter((each) => !added.includes(each)))
}

/** Shortcuts that hold while the component is there. */
export function useShortcuts(wanted: readonly Shortcut[]): void {
  const latest = useRef(wanted)
  latest.current = wanted
  const names = wanted.map((each) => `${each.keys}\n${each.label}\n${each.group}`).join('\n\n')
  // biome-ignore lint/correctness/useExhaustiveDependencies: what they do is looked up when it is done
  useEffect(() => {
    const stable = latest.current.map((each, at) => ({ ...each, run: () => latest.current[at]?.run() }))
    return addShortcuts(stable)
  }, [names])
}

export type Press = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>

/** A pressed key as shortcuts write it. */
export const pressed = (event: Press): string =>
  event.ctrlKey || event.metaKey ? `mod+${event.key.toLowerCase()}` : event.key

/** What the keys pressed so far mean: the shortcut, and whether more keys may follow. */
export function match(all: readonly Shortcut[], keys: string): { found?: Shortcut; more: boolean } {
  return {
    found: all.findLast((each) => each.keys === keys),
    more: all.some((each) => each.keys.startsWith(`${keys} `)),
  }
}

const TYPING =
  'input:not([type=checkbox]):not([type=radio]):not([type=button]), textarea, select, [contenteditable=true]'
/** Consoles have all keys for themselves. */
const OWN = 'canvas, .xterm, [data-own-keys]'

/** Whether keys belong to what has the focus: `typing`, `own` (not even `mod+k`), or neither. */
export function owner(target: EventTarget | null): 'typing' | 'own' | null {
  if (!(target instanceof Element)) return null
  if (target.closest(OWN)) return 'own'
  return target.closest(TYPING) ? 'typing' : null
}

const PATIENCE = 1200

/** Listen for shortcuts; answers the function that ends it. */
export function listenForShortcuts(): () => void {
  let before = ''
  let timer = 0
  const forget = () => {
    before = ''
  }
  function onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.altKey || event.isComposing || /^(Shift|Control|Meta)$/.test(event.key)) return
    const whose = owner(event.target)
    const key = pressed(event)
    if (whose === 'own' || (whose === 'typing' && !key.startsWith('mod+'))) return
    if (document.querySelector('[aria-modal=true]')) return
    window.clearTimeout(timer)
    let { found, more } = match(shortcuts.get(), before ? `${before} ${key}` : key)
    if (!found && !more && before) ({ found, more } = match(shortcuts.get(), key))
    else if (more) {
      before = before ? `${before} ${key}` : key
      timer = window.setTimeout(forget, PATIENCE)
      return
    }
    forget()
    if (more) before = key
    if (!found) return
    event.preventDefault()
    found.run()
  }
  window.addEventListener('keydown', onKey)
  return () => {
    window.removeEventListener('keydown', onKey)
    window.clearTimeout(timer)
  }
}
