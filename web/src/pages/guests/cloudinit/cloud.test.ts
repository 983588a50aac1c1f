import { expect, test } from 'vitest'
import { decodedKeys, encodedKeys, ipConfigOf, ipConfigText, keyWords, wrongKeys } from '@/pages/guests/cloudinit/cloud'

const KEY = 'ssh-ed25519 AAAAC3Nza+C1/lZDI1NTE5= ann (at home)'

test('keys are encoded so that nothing is left to be misread', () => {
  const text = encodedKeys(`${KEY}\r\n\n ssh-rsa AAAA\n`)
  expect(text).toBe('ssh-ed25519%20AAAAC3Nza%2BC1%2FlZDI1NTE5%3D%20ann%20%28at%20home%29%0Assh-rsa%20AAAA')
  expect(decodedKeys(text)).toBe(`${KEY}\nssh-rsa AAAA`)
  expect(decodedKeys('%zz')).toBe('%zz')
})

test('lines that are no keys', () => {
  expect(wrongKeys(`${KEY}\nhello\n# comment\ncommand="x" ssh-rsa AAAA`)).toEqual(['hello'])
  expect(keyWords(KEY)).toBe('ann (at home) (ssh-ed25519)')
})

test.each(['ip=dhcp', 'ip=10.0.0.2/24,gw=10.0.0.1', 'ip=dhcp,ip6=auto', 'ip6=fd00::2/64,gw6=fd00::1', ''])(
  '%s',
  (text) => {
    expect(ipConfigText(ipConfigOf(text))).toBe(text)
  },
)
