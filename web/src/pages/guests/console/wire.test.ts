import { expect, test } from 'vitest'
import { aliveFrame, Greeted, greeting, inputFrame, sizeFrame, socketUrl } from '@/pages/guests/console/wire'

const text = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes))
const bytes = (value: string) => new TextEncoder().encode(value)

test('frames of the client', () => {
  expect(text(greeting('a@pve', 'PVEVNC:1'))).toBe('a@pve:PVEVNC:1\n')
  expect(text(inputFrame('ls\r'))).toBe('0:3:ls\r')
  expect(text(inputFrame('é'))).toBe('0:2:é')
  expect(text(sizeFrame(80, 24))).toBe('1:80:24:')
  expect(text(aliveFrame())).toBe('2')
})

test('the answer to the greeting is taken off', () => {
  const greeted = new Greeted()
  expect(text(greeted.take(bytes('O')))).toBe('')
  expect(greeted.done).toBe(false)
  expect(text(greeted.take(bytes('Klogin: ')))).toBe('login: ')
  expect(greeted.done).toBe(true)
  expect(text(greeted.take(bytes('OK')))).toBe('OK')
  expect(new Greeted().take(bytes('no'))).toBeNull()
})

test('the address of a session', () => {
  const base = { protocol: 'https:', host: 'n1:8006' } as Location
  expect(socketUrl('/nodes/n1/qemu/100', { port: 5900, ticket: 'PVEVNC:1::a+b/c=' }, base)).toBe(
    'wss://n1:8006/api2/json/nodes/n1/qemu/100/vncwebsocket?port=5900&vncticket=PVEVNC%3A1%3A%3Aa%2Bb%2Fc%3D',
  )
})
