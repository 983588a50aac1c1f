/**
 * Why somebody may do something: the ACL entries behind the privileges on a path. The API alone says what is held; this
 * follows the same rules to name the entries. From the path upwards the nearest level with entries counts, one's own
 * before those of one's groups; NoAccess leaves nothing beside it; entries on a pool count on its members too; a token
 * with privilege separation has what its own entries give as far as its user has it.
 */

export interface AclEntry {
  path: string
  type: 'user' | 'group' | 'token'
  ugid: string
  roleid: string
  propagate: boolean
}

/** What has to be known to decide: as the caller may see it, which may be less than there is. */
export interface World {
  acl: readonly AclEntry[]
  /** Group names by user. */
  groups: ReadonlyMap<string, readonly string[]>
  roles: ReadonlyMap<string, ReadonlySet<string>>
  /** ACL paths of the pools that hold `/vms/100`, `/storage/local`, … */
  pools: ReadonlyMap<string, readonly string[]>
  /** Privilege separation by full token ID. */
  tokens: ReadonlyMap<string, boolean>
}

/** An entry that gives something; `pool` when it reaches the path because that is a member of the pool. */
export interface Source {
  entry: AclEntry
  pool?: string
}

export interface Held {
  privilege: string
  propagate: boolean
  sources: Source[]
}

export interface Verdict {
  path: string
  /** In alphabetical order. */
  held: Held[]
  /** The entries with NoAccess that leave nothing. */
  denied: Source[]
  /** Entries further up, or of groups, that don't count because nearer ones replace them. */
  replaced: AclEntry[]
  /** What a separated token's entries would give if its user had it. */
  lacking: string[]
}

interface Given {
  propagate: boolean
  sources: Source[]
}
type Roles = Map<string, Given>

const NO_ACCESS = 'NoAccess'

/** `/a//b/` → `/a/b`. */
export const normalPath = (path: string): string => `/${path.split('/').filter(Boolean).join('/')}`

const parent = (path: string): string => (path === '/' ? '' : path.slice(0, path.lastIndexOf('/')) || '/')

/** A path and all above it, nearest first. */
export function upwards(path: string): string[] {
  const found: string[] = []
  for (let at = path; at !== ''; at = parent(at)) found.push(at)
  return found
}

/** A token's user; a user's own name. */
export const userOf = (who: string): string => who.split('!')[0] ?? who
const isToken = (who: string): boolean => who.includes('!')

/** Whether an entry is for exactly this user or token, or for one of the user's groups. */
function concerns(world: World, who: string, entry: AclEntry): 'own' | 'group' | undefined {
  if (entry.type !== 'group') return entry.ugid === who ? 'own' : undefined
  return !isToken(who) && (world.groups.get(who) ?? []).includes(entry.ugid) ? 'group' : undefined
}

function rolesOf(entries: AclEntry[], pool?: string): Roles {
  const roles: Roles = new Map()
  for (const entry of entries) {
    const given = roles.get(entry.roleid) ?? { propagate: false, sources: [] }
    given.propagate ||= entry.propagate
    given.sources.push(pool ? { entry, pool } : { entry })
    roles.set(entry.roleid, given)
  }
  return roles
}

/** The entries that count on a path, pools aside, and those that they replace. */
function walk(world: World, who: string, path: string, pool?: string): { roles: Roles; replaced: AclEntry[] } {
  let counting: AclEntry[] | undefined
  const replaced: AclEntry[] = []
  for (const level of upwards(path)) {
    const here = world.acl.filter(
      (entry) => entry.path === level && (level === path || entry.propagate) && world.roles.has(entry.roleid),
    )
    const own = here.filter((entry) => concerns(world, who, entry) === 'own')
    const groups = here.filter((entry) => concerns(world, who, entry) === 'group')
    if (counting) replaced.push(...own, ...groups)
    else if (own.length > 0) {
      counting = own
      replaced.push(...groups)
    } else if (groups.length > 0) counting = groups
  }
  const roles = rolesOf(counting ?? [], pool)
  const none = roles.get(NO_ACCESS)
  return { roles: none ? new Map([[NO_ACCESS, none]]) : roles, replaced }
}

function withPools(world: World, who: string, path: string): { roles: Roles; replaced: AclEntry[] } {
  const own = walk(world, who, path)
  if (own.roles.has(NO_ACCESS)) return own
  const roles = new Map(own.roles)
  for (const pool of world.pools.get(path) ?? []) {
    const through = walk(world, who, pool, pool)
    const none = through.roles.get(NO_ACCESS)
    if (none) return { roles: new Map([[NO_ACCESS, { ...none, propagate: false }]]), replaced: own.replaced }
    for (const [role, given] of through.roles) {
      const before = roles.get(role)
      roles.set(role, {
        propagate: before?.propagate ?? false,
        sources: [...(before?.sources ?? []), ...given.sources],
      })
    }
  }
  return { roles, replaced: own.replaced }
}

function privileges(world: World, roles: Roles): Map<string, Held> {
  const held = new Map<string, Held>()
  for (const [role, given] of roles) {
    for (const privilege of world.roles.get(role) ?? []) {
      const before = held.get(privilege)
      held.set(privilege, {
        privilege,
        propagate: (before?.propagate ?? false) || given.propagate,
        sources: [...(before?.sources ?? []), ...given.sources],
      })
    }
  }
  return held
}

const sorted = (held: Map<string, Held>): Held[] =>
  [...held.values()].sort((a, b) => (a.privilege < b.privilege ? -1 : a.privilege > b.privilege ? 1 : 0))

function simple(world: World, who: string, path: string): Verdict {
  const { roles, replaced } = withPools(world, who, path)
  const denied = roles.get(NO_ACCESS)?.sources ?? []
  return { path, held: sorted(privileges(world, roles)), denied, replaced, lacking: [] }
}

/** What `who` (a user or a full token ID) has on a path, and why. */
export function effective(world: World, who: string, path: string): Verdict {
  const at = normalPath(path)
  if (!isToken(who)) return simple(world, who, at)
  const ofUser = simple(world, userOf(who), at)
  if (world.tokens.get(who) === false) return ofUser
  const own = simple(world, who, at)
  const users = new Map(ofUser.held.map((each) => [each.privilege, each]))
  return {
    ...own,
    held: own.held.flatMap((each) => {
      const theirs = users.get(each.privilege)
      return theirs ? [{ ...each, propagate: each.propagate && theirs.propagate }] : []
    }),
    lacking: own.held.filter((each) => !users.has(each.privilege)).map((each) => each.privilege),
  }
}

export interface Difference {
  privilege: string
  left: boolean
  right: boolean
}

/** Every privilege that one of two has. */
export function compare(left: readonly string[], right: readonly string[]): Difference[] {
  return [...new Set([...left, ...right])]
    .sort()
    .map((privilege) => ({ privilege, left: left.includes(privilege), right: right.includes(privilege) }))
}

const same = (a: AclEntry, b: AclEntry): boolean =>
  a.path === b.path && a.type === b.type && a.ugid === b.ugid && a.roleid === b.roleid

/** Whether `who` holds less somewhere that matters when its entries become others. */
function shrinks(world: World, who: string, acl: readonly AclEntry[], changed: readonly AclEntry[]): boolean {
  const after: World = { ...world, acl }
  const paths = new Set(['/', '/access', ...changed.map((entry) => entry.path)])
  return [...paths].some((path) => {
    const left = new Set(effective(after, who, path).held.map((each) => each.privilege))
    return effective(world, who, path).held.some((each) => !left.has(each.privilege))
  })
}

/** Whether `who` loses rights when these entries go: a warning is due before somebody does that to itself. */
export const losesOwn = (world: World, who: string, gone: readonly AclEntry[]): boolean =>
  shrinks(
    world,
    who,
    world.acl.filter((entry) => !gone.some((each) => same(each, entry))),
    gone,
  )

/** Whether `who` loses rights by these new entries: they replace what it has there from further up. */
export const losesByNew = (world: World, who: string, fresh: readonly AclEntry[]): boolean =>
  shrinks(world, who, [...world.acl.filter((entry) => !fresh.some((each) => same(each, entry))), ...fresh], fresh)

type Granted = Readonly<Record<string, Readonly<Record<string, number>>>>

const signature = (held: Readonly<Record<string, number>>): string =>
  Object.keys(held)
    .sort()
    .map((each) => `${each}${held[each] ? '+' : ''}`)
    .join(' ')

/** The paths that say something of their own: what is held there differs from what comes from above. */
export function telling(granted: Granted): string[] {
  return Object.keys(granted)
    .sort()
    .filter((path) => {
      const above = upwards(path)
        .slice(1)
        .find((each) => granted[each])
      const passed = above ? Object.entries(granted[above] ?? {}).filter(([, propagate]) => propagate) : []
      return signature(granted[path] ?? {}) !== signature(Object.fromEntries(passed))
    })
}
