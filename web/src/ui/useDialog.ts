import { useCallback, useRef, useState } from 'react'

/**
 * What a dialog is about, and whether it is open. The value stays while the dialog closes; `key` makes each opening start
 * from the beginning. Whoever opened it gets the focus back.
 */
export function useDialog<T>() {
  const [state, setState] = useState<{ value: T | undefined; opened: boolean; key: number }>({
    value: undefined,
    opened: false,
    key: 0,
  })
  const opener = useRef<Element | null>(null)
  const open = useCallback((value: T) => {
    opener.current = document.activeElement
    setState((before) => ({ value, opened: true, key: before.key + 1 }))
  }, [])
  const close = useCallback(() => {
    setState((before) => ({ ...before, opened: false }))
    const back = opener.current
    if (back instanceof HTMLElement && back.isConnected) window.setTimeout(() => back.focus(), 50)
  }, [])
  return { ...state, open, close }
}
