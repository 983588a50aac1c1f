import { expect, test } from 'vitest'
import { fromForeign } from '@/shell/links'
import { hrefOf, refOfPath, targetOf } from '@/shell/refs'
import { inFront } from '@/shell/remembered'

const at = (text: string) => fromForeign(new URL(text, 'https://n1:8006'))

test('links of other clients lead to the page of the same thing', () => {
  expect(at('/?console=kvm&vmid=100&node=n1')).toBe('/guests/100/console')
  expect(at('/?console=kvm&xtermjs=1&vmid=100&node=n1')).toBe('/guests/100/console?display=serial')
  expect(at('/?console=shell&node=n1')).toBe('/nodes/n1/shell')
  expect(at('/#v1:0:=qemu%2F100:4:5:::::')).toBe('/guests/100')
  expect(at('/#v1:0:=node%2Fn1:4')).toBe('/nodes/n1')
  expect(at('/#v1:0:=storage%2Fn1%2Flocal:4')).toBe('/storage/n1/local')
  expect(at('/#v1:0:=%2Fpool%2Fprod')).toBe('/pools/prod')
})

test('other addresses stay as they are', () => {
  expect(at('/')).toBeNull()
  expect(at('/?create=vm')).toBeNull()
  expect(at('/guests/100#v1:0:=node%2Fn1')).toBeNull()
})

test('a thing’s name and its page belong together', () => {
  expect(targetOf('storage/n1/local')).toEqual({
    to: '/storage/$node/$storage',
    params: { node: 'n1', storage: 'local' },
  })
  expect(refOfPath('/storage/n1/local/content')).toBe('storage/n1/local')
  expect(refOfPath('/guests/100/console')).toBe('guest/100')
  expect(refOfPath('/guests')).toBeNull()
  expect(hrefOf('pool/a/b')).toBe('/pools/a%2Fb')
  expect(refOfPath(hrefOf('pool/a/b'))).toBe('pool/a/b')
  expect(targetOf('pool/a/b')).toEqual({ to: '/pools/$pool', params: { pool: 'a/b' } })
})

test('what was looked at comes to the front, once', () => {
  expect(inFront(['a', 'b', 'c'], 'c', 3)).toEqual(['c', 'a', 'b'])
  expect(inFront(['a', 'b', 'c'], 'd', 3)).toEqual(['d', 'a', 'b'])
})
