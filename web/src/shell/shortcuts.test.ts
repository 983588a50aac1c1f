// @vitest-environment jsdom
import { afterEach, expect, type Mock, test, vi } from 'vitest'
import { addShortcuts, listenForShortcuts, match, type Shortcut } from '@/shell/shortcuts'

let stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops) stop()
  stops = []
  document.body.innerHTML = ''
})

function shortcut(keys: string): Shortcut & { run: Mock<() => void> } {
  return { keys, label: keys, group: 'do', run: vi.fn<() => void>() }
}

function press(key: string, more: KeyboardEventInit = {}, target: EventTarget = document.body): void {
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }))
}

function listen(...added: Shortcut[]): void {
  stops.push(addShortcuts(added), listenForShortcuts())
}

test('one key, two keys, and Ctrl', () => {
  const [go, slash, k] = [shortcut('g n'), shortcut('/'), shortcut('mod+k')]
  listen(go, slash, k)
  press('g')
  expect(go.run).not.toHaveBeenCalled()
  press('n')
  press('/')
  press('k', { ctrlKey: true })
  for (const each of [go, slash, k]) expect(each.run).toHaveBeenCalledOnce()
})

test('a key that does not continue a sequence counts for itself', () => {
  const [go, t] = [shortcut('g n'), shortcut('t')]
  listen(go, t)
  press('g')
  press('t')
  expect(t.run).toHaveBeenCalledOnce()
})

test('nothing happens while typing, except with Ctrl', () => {
  const [t, k] = [shortcut('t'), shortcut('mod+k')]
  listen(t, k)
  document.body.innerHTML = '<input>'
  const input = document.querySelector('input') as HTMLInputElement
  press('t', {}, input)
  press('k', { metaKey: true }, input)
  expect(t.run).not.toHaveBeenCalled()
  expect(k.run).toHaveBeenCalledOnce()
})

test('a console keeps all keys, and a dialog holds shortcuts off', () => {
  const k = shortcut('mod+k')
  listen(k)
  document.body.innerHTML = '<canvas></canvas>'
  press('k', { ctrlKey: true }, document.querySelector('canvas') as HTMLCanvasElement)
  document.body.innerHTML = '<div aria-modal="true"></div>'
  press('k', { ctrlKey: true })
  expect(k.run).not.toHaveBeenCalled()
})

test('the shortcut that was added last wins', () => {
  const [first, second] = [shortcut('r'), shortcut('r')]
  expect(match([first, second], 'r').found).toBe(second)
})
