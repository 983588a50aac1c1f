import { expect, test } from 'vitest'
import { LoginRefused } from '@/api/session'
import { loginAfter, problemOf, START, splitUser } from '@/shell/login/form'

test('a second factor is asked for after the password, and one may go back', () => {
  const sent = loginAfter(START, { type: 'sent' })
  expect(sent.busy).toBe(true)
  const factor = loginAfter(sent, { type: 'answered', step: { kind: 'factor', username: 'joe@pve', challenge: 'c' } })
  expect(factor).toEqual({ step: 'factor', busy: false, username: 'joe@pve', challenge: 'c' })
  expect(loginAfter(factor, { type: 'failed', problem: 'factorRefused' })).toMatchObject({
    step: 'factor',
    challenge: 'c',
  })
  expect(loginAfter(factor, { type: 'back' })).toEqual(START)
})

test('a refusal is told apart from a node that is away', () => {
  expect(problemOf(new LoginRefused(401), 'password')).toBe('refused')
  expect(problemOf(new LoginRefused(401), 'factor')).toBe('factorRefused')
  expect(problemOf(new LoginRefused(503), 'password')).toBe('busy')
  expect(problemOf(new TypeError('fetch'), 'password')).toBe('unreachable')
})

test('a realm that is typed with the name counts', () => {
  expect(splitUser('joe@pve', 'pam', ['pam', 'pve'])).toEqual({ username: 'joe', realm: 'pve' })
  expect(splitUser(' joe ', 'pam', ['pam'])).toEqual({ username: 'joe', realm: 'pam' })
  expect(splitUser('joe@example.org', 'ldap', ['pam', 'ldap'])).toEqual({ username: 'joe@example.org', realm: 'ldap' })
})
