/** What the access pages read, in the shape that they use. */
import { useQueries } from '@tanstack/react-query'
import { useMemo } from 'react'
import { call, type Result } from '@/api/client'
import { useApi } from '@/api/query'
import { useInventory } from '@/live/inventory'
import type { World } from '@/pages/access/effective'

export type User = Result<'GET /access/users'>[number]
export type Role = Result<'GET /access/roles'>[number]
export type AclRow = Result<'GET /access/acl'>[number]
export type UserGroup = Result<'GET /access/groups'>[number]
export type Realm = Result<'GET /access/domains'>[number]

/** A token with the user that it belongs to. */
export interface Token {
  id: string
  userid: string
  tokenid: string
  expire: number
  privsep: boolean
  comment: string
}

export const useUsers = () => useApi('GET /access/users', { full: 1 })
export const useGroups = () => useApi('GET /access/groups', {})
export const useRoles = () => useApi('GET /access/roles', {})
export const useAcl = () => useApi('GET /access/acl', {})

/** `a,b c` → its words. */
export const words = (text: string | undefined): string[] => (text ?? '').split(/[;, ]+/).filter(Boolean)

export const realmOf = (userid: string): string => userid.slice(userid.lastIndexOf('@') + 1)
export const fullName = (user: Pick<User, 'firstname' | 'lastname'>): string =>
  [user.firstname, user.lastname].filter(Boolean).join(' ')

/** The tokens of all users, as the list of users tells. */
export function tokensOf(users: readonly User[]): Token[] {
  return users.flatMap((user) =>
    (user.tokens ?? []).map((token) => ({
      id: `${user.userid}!${token.tokenid}`,
      userid: user.userid,
      tokenid: token.tokenid,
      expire: token.expire,
      privsep: token.privsep === 1,
      comment: token.comment ?? '',
    })),
  )
}

type PoolAnswer = { data?: Result<'GET /pools'> | undefined }

/** Pool paths by `/storage/NAME`. Not made anew for each drawing, hence out here. */
function storagePoolsOf(answers: readonly PoolAnswer[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { poolid, members } of answers.flatMap(({ data }) => data ?? [])) {
    for (const name of new Set((members ?? []).map((member) => String(member.storage)))) {
      const path = `/storage/${name}`
      found.set(path, [...(found.get(path) ?? []), `/pool/${poolid}`])
    }
  }
  return found
}

/** Which pools hold the storages; the inventory knows only of guests. */
function useStoragePools(): Map<string, string[]> {
  const pools = useApi('GET /pools', {}).data
  return useQueries({
    queries: (pools ?? []).map(({ poolid }) => ({
      queryKey: ['GET /pools', { poolid, type: 'storage' }],
      queryFn: () => call('GET /pools', { poolid, type: 'storage' }),
    })),
    combine: storagePoolsOf,
  })
}

/** Everything that decides about permissions, as far as the caller may see it. */
export function useWorld(): World | undefined {
  const [users, groups, roles, acl] = [useUsers().data, useGroups().data, useRoles().data, useAcl().data]
  const { guests } = useInventory()
  const storagePools = useStoragePools()
  return useMemo(() => {
    if (!users || !roles || !acl) return undefined
    const byUser = new Map(users.map((user) => [user.userid, words(user.groups)]))
    for (const group of groups ?? []) {
      for (const member of words(group.users)) {
        const known = byUser.get(member) ?? []
        if (!known.includes(group.groupid)) byUser.set(member, [...known, group.groupid])
      }
    }
    const pools = new Map<string, string[]>(storagePools)
    for (const guest of guests.values()) if (guest.pool) pools.set(`/vms/${guest.vmid}`, [`/pool/${guest.pool}`])
    return {
      acl: acl.map((row) => ({ ...row, propagate: row.propagate === 1 })),
      groups: byUser,
      roles: new Map(roles.map((role) => [role.roleid, new Set(words(role.privs))])),
      pools,
      tokens: new Map(tokensOf(users).map((token) => [token.id, token.privsep])),
    }
  }, [users, groups, roles, acl, guests, storagePools])
}
