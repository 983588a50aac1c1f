import { expect, test } from 'vitest'
import { consolesOf } from '@/pages/guests/console/consoles'

test.each([
  [{}, [], true, 'vnc'],
  [{ serial0: 'socket' }, ['serial0'], true, 'vnc'],
  [{ serial0: 'socket', vga: 'serial0' }, ['serial0'], false, 'serial'],
  [{ serial1: 'socket', vga: 'type=serial1,memory=4' }, ['serial1'], false, 'serial'],
  [{ serial0: '/dev/ttyS0', vga: 'qxl' }, [], true, 'vnc'],
  [{ vga: 'none' }, [], false, 'vnc'],
] as const)('%o', (config, ports, display, best) => {
  expect(consolesOf(config)).toEqual({ ports, display, best })
})
