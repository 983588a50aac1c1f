/** Who may run an operation, from the form that declarations have in the schema, as a tree for people. */

export type Permission =
  | { kind: 'everyone' | 'loggedIn' | 'rootOnly'; why?: string }
  | { kind: 'privileges'; path: string; privileges: string[]; any: boolean }
  | { kind: 'allOf' | 'anyOf'; parts: Permission[] }
  | { kind: 'self' }
  | { kind: 'other'; text: string }

function check(expression: unknown): Permission {
  if (!Array.isArray(expression)) return read(expression)
  const [word, ...rest] = expression as unknown[]
  if (word === 'and' || word === 'or') return { kind: word === 'and' ? 'allOf' : 'anyOf', parts: rest.map(check) }
  if (word === 'perm' && typeof rest[0] === 'string' && Array.isArray(rest[1])) {
    return { kind: 'privileges', path: rest[0], privileges: rest[1].map(String), any: rest.includes('any') }
  }
  if (word === 'perm-modify') {
    return { kind: 'privileges', path: String(rest[0]), privileges: ['Permissions.Modify'], any: false }
  }
  if (word === 'userid-param' && rest[0] === 'self') return { kind: 'self' }
  if (word === 'userid-group' && Array.isArray(rest[0])) {
    return { kind: 'privileges', path: '/access/groups', privileges: rest[0].map(String), any: true }
  }
  return { kind: 'other', text: JSON.stringify(expression) }
}

function read(dump: unknown): Permission {
  const { check: expression, user, root_only, description } = (dump ?? {}) as Record<string, unknown>
  const why = typeof description === 'string' ? description : undefined
  if (expression !== undefined) return check(expression)
  if (root_only) return { kind: 'rootOnly', why }
  if (user === 'world') return { kind: 'everyone', why }
  if (user === 'all') return { kind: 'loggedIn', why }
  return { kind: 'other', text: JSON.stringify(dump) }
}

export const permissionOf = read
