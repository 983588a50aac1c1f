/** Keys by their X keysym and the place on a keyboard, and texts as keys of a US keyboard. */

export interface Key {
  keysym: number
  code: string
}

const key = (keysym: number, code: string): Key => ({ keysym, code })

export const CTRL = key(0xffe3, 'ControlLeft')
export const ALT = key(0xffe9, 'AltLeft')
export const SHIFT = key(0xffe1, 'ShiftLeft')
export const META = key(0xffeb, 'MetaLeft')
export const DELETE = key(0xffff, 'Delete')
export const TAB = key(0xff09, 'Tab')
export const ESCAPE = key(0xff1b, 'Escape')
export const ENTER = key(0xff0d, 'Enter')
export const BACKSPACE = key(0xff08, 'Backspace')
export const PRINT = key(0xff61, 'PrintScreen')
export const functionKey = (number: number): Key => key(0xffbd + number, `F${number}`)

export const MODIFIERS = { Ctrl: CTRL, Alt: ALT, Shift: SHIFT, Win: META } as const
export type Modifier = keyof typeof MODIFIERS

const PLAIN = "`1234567890-=[]\\;',./ "
const SHIFTED = '~!@#$%^&*()_+{}|:"<>? '
const CODES = [
  'Backquote',
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 0].map((digit) => `Digit${digit}`),
  'Minus',
  'Equal',
  'BracketLeft',
  'BracketRight',
  'Backslash',
  'Semicolon',
  'Quote',
  'Comma',
  'Period',
  'Slash',
  'Space',
]

/** How a character is typed; `code` is null for those that a US keyboard does not have. */
export interface Stroke {
  keysym: number
  code: string | null
  shift: boolean
}

/** The X keysym of a character. */
export const keysymOf = (char: string): number => {
  const point = char.codePointAt(0) ?? 0
  return point < 0x100 ? point : 0x01000000 | point
}

export function strokeOf(char: string): Stroke {
  if (char === '\n' || char === '\r') return { ...ENTER, shift: false }
  if (char === '\t') return { ...TAB, shift: false }
  const keysym = keysymOf(char)
  if (/^[a-z]$/i.test(char)) return { keysym, code: `Key${char.toUpperCase()}`, shift: char !== char.toLowerCase() }
  const plain = PLAIN.indexOf(char)
  if (plain >= 0) return { keysym, code: CODES[plain] ?? null, shift: false }
  const shifted = SHIFTED.indexOf(char)
  if (shifted >= 0) return { keysym, code: CODES[shifted] ?? null, shift: true }
  return { keysym, code: null, shift: false }
}

/** What somebody did to a text field: so many characters taken back, then some typed. */
export function typed(before: string, after: string): { back: number; text: string } {
  let same = 0
  while (same < before.length && same < after.length && before[same] === after[same]) same++
  return { back: before.length - same, text: after.slice(same) }
}

interface Keyboard {
  sendKey(keysym: number, code: string | null, down?: boolean): void
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Type a text, slowly enough for a guest that boots. */
export async function typeText(keyboard: Keyboard, text: string): Promise<void> {
  for (const char of text.replaceAll('\r\n', '\n')) {
    const { keysym, code, shift } = strokeOf(char)
    if (shift) keyboard.sendKey(SHIFT.keysym, SHIFT.code, true)
    keyboard.sendKey(keysym, code, true)
    keyboard.sendKey(keysym, code, false)
    if (shift) keyboard.sendKey(SHIFT.keysym, SHIFT.code, false)
    await pause(8)
  }
}

/** Press keys together, in their order, and let them go in the other. */
export function chord(keyboard: Keyboard, keys: readonly Key[]): void {
  for (const { keysym, code } of keys) keyboard.sendKey(keysym, code, true)
  for (const { keysym, code } of [...keys].reverse()) keyboard.sendKey(keysym, code, false)
}
