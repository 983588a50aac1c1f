/** Names for things, to remember and to link them: `guest/100`, `node/n1`, `storage/n1/local`, `pool/prod`. */
export type Ref = string

export type Target =
  | { to: '/guests/$vmid'; params: { vmid: string } }
  | { to: '/nodes/$node'; params: { node: string } }
  | { to: '/storage/$node/$storage'; params: { node: string; storage: string } }
  | { to: '/pools/$pool'; params: { pool: string } }

export const guestRef = (vmid: number): Ref => `guest/${vmid}`
export const nodeRef = (node: string): Ref => `node/${node}`
export const storageRef = (node: string, storage: string): Ref => `storage/${node}/${storage}`
export const poolRef = (pool: string): Ref => `pool/${pool}`

/** Kind and the names after it; a pool's name may have slashes. */
export function parts(ref: Ref): [kind: string, name: string, more: string] {
  const [kind = '', ...names] = ref.split('/')
  if (kind !== 'storage') return [kind, names.join('/'), '']
  const [node = '', ...rest] = names
  return [kind, node, rest.join('/')]
}

/** Where a thing's page is. */
export function targetOf(ref: Ref): Target {
  const [kind, name, more] = parts(ref)
  if (kind === 'guest') return { to: '/guests/$vmid', params: { vmid: name } }
  if (kind === 'node') return { to: '/nodes/$node', params: { node: name } }
  if (kind === 'storage') return { to: '/storage/$node/$storage', params: { node: name, storage: more } }
  return { to: '/pools/$pool', params: { pool: name } }
}

/** The same as an address. */
export function hrefOf(ref: Ref): string {
  const { to, params } = targetOf(ref)
  return to.replace(/\$(\w+)/g, (_, name: string) => encodeURIComponent((params as Record<string, string>)[name] ?? ''))
}

/** Which thing's page an address is, if it is one's. */
export function refOfPath(path: string): Ref | null {
  const [family, ...names] = path.split('/').slice(1).map(decodeURIComponent)
  const [first, second] = names
  if (!first) return null
  if (family === 'guests') return /^\d+$/.test(first) ? `guest/${first}` : null
  if (family === 'nodes') return nodeRef(first)
  if (family === 'storage') return second ? storageRef(first, second) : null
  return family === 'pools' ? poolRef(first) : null
}
