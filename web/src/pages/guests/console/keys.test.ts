import { expect, test } from 'vitest'
import { ALT, CTRL, chord, functionKey, keysymOf, strokeOf, typed, typeText } from '@/pages/guests/console/keys'

class Keyboard {
  sent: string[] = []
  sendKey(keysym: number, code: string | null, down?: boolean): void {
    this.sent.push(`${down ? '+' : '-'}${code ?? keysym.toString(16)}`)
  }
}

test.each([
  ['a', 'KeyA', false],
  ['A', 'KeyA', true],
  ['1', 'Digit1', false],
  ['!', 'Digit1', true],
  ['0', 'Digit0', false],
  [')', 'Digit0', true],
  ['/', 'Slash', false],
  ['?', 'Slash', true],
  ['|', 'Backslash', true],
  [' ', 'Space', false],
  ['\n', 'Enter', false],
  ['é', null, false],
])('%s', (char, code, shift) => {
  expect(strokeOf(char)).toMatchObject({ code, shift })
})

test('keysyms of characters', () => {
  expect([keysymOf('a'), keysymOf('é'), keysymOf('中')]).toEqual([0x61, 0xe9, 0x01004e2d])
  expect(functionKey(1)).toEqual({ keysym: 0xffbe, code: 'F1' })
})

test('text is typed with shift where it is needed', async () => {
  const keyboard = new Keyboard()
  await typeText(keyboard, 'aB')
  expect(keyboard.sent).toEqual(['+KeyA', '-KeyA', '+ShiftLeft', '+KeyB', '-KeyB', '-ShiftLeft'])
})

test('keys of a chord are let go in the other order', () => {
  const keyboard = new Keyboard()
  chord(keyboard, [CTRL, ALT, functionKey(2)])
  expect(keyboard.sent).toEqual(['+ControlLeft', '+AltLeft', '+F2', '-F2', '-AltLeft', '-ControlLeft'])
})

test('what was done to a text field', () => {
  expect(typed('___', '___a')).toEqual({ back: 0, text: 'a' })
  expect(typed('___', '__')).toEqual({ back: 1, text: '' })
  expect(typed('___tesst', '___test')).toEqual({ back: 2, text: 't' })
})
