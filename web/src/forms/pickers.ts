/**
 * What may be chosen in a field, from live data: by the field's format, or by its name where the format does not tell.
 * Every choice is a suggestion: another text may be typed, the API decides.
 */
import { useQueries } from '@tanstack/react-query'
import { useMemo } from 'react'
import { call } from '@/api/client'
import { useApi } from '@/api/query'
import type { FieldSchema } from '@/forms/schema'
import type { FormContext } from '@/forms/useSchemaForm'
import { useGuests, useInventory, useNodes, useStorages } from '@/live/inventory'

export interface Choice {
  value: string
  hint?: string
}
export type Picker = (context: FormContext) => readonly Choice[]

const NONE: readonly Choice[] = []

function useNodeOf(context: FormContext): string | undefined {
  const nodes = useNodes()
  const told = context.fixed.node ?? context.values.node
  return typeof told === 'string' && told !== '' ? told : nodes[0]?.node
}

const useNone: Picker = () => NONE

const useNodePicker: Picker = () => useNodes().map(({ node, status }) => ({ value: node, hint: status }))

const useGuestPicker: Picker = () => useGuests().map(({ vmid, name }) => ({ value: String(vmid), hint: name }))

const useStoragePicker: Picker = (context) => {
  const node = useNodeOf(context)
  const storages = useStorages()
  return useMemo(() => {
    const seen = storages.filter((each) => context.operation.includes('/nodes/') === false || each.node === node)
    const byName = new Map(seen.map((each) => [each.storage, { value: each.storage, hint: each.plugintype }]))
    return [...byName.values()]
  }, [storages, node, context.operation])
}

const usePoolPicker: Picker = () => {
  const { pools } = useInventory()
  return useMemo(() => [...pools.keys()].sort().map((value) => ({ value })), [pools])
}

const useTagPicker: Picker = () => {
  const guests = useGuests()
  return useMemo(() => [...new Set(guests.flatMap(({ tags }) => tags))].sort().map((value) => ({ value })), [guests])
}

const useBridgePicker: Picker = (context) => {
  const node = useNodeOf(context) ?? ''
  const params = { node, type: 'any_bridge' as const }
  const { data } = useApi('GET /nodes/{node}/network', params, { enabled: node !== '' })
  return (data ?? []).flatMap((each) => (each.iface ? [{ value: each.iface, hint: each.comments?.trim() }] : []))
}

const useInterfacePicker: Picker = (context) => {
  const node = useNodeOf(context) ?? ''
  const { data } = useApi('GET /nodes/{node}/network', { node }, { enabled: node !== '' })
  return (data ?? []).flatMap((each) => (each.iface ? [{ value: each.iface, hint: each.type }] : []))
}

/** Volumes on the node's storages: with `images` those of guests, always ISO images and what can be imported. */
function useVolumes(context: FormContext, contents: readonly string[]): readonly Choice[] {
  const node = useNodeOf(context) ?? ''
  const storages = useStorages().filter(
    (each) => each.node === node && each.content.some((content) => contents.includes(content)),
  )
  return useQueries({
    queries: storages.map(({ storage }) => {
      const params = { node, storage }
      return {
        queryKey: ['GET /nodes/{node}/storage/{storage}/content', params],
        queryFn: () => call('GET /nodes/{node}/storage/{storage}/content', params),
      }
    }),
    combine: (results) =>
      results
        .flatMap(({ data }) => data ?? [])
        .filter((each) => contents.includes(each.content))
        .map((each) => ({ value: each.volid, hint: each.content })),
  })
}

const useVolumePicker: Picker = (context) => useVolumes(context, ['images', 'iso', 'import'])
const useImportPicker: Picker = (context) => useVolumes(context, ['images', 'import'])
const useSnippetPicker: Picker = (context) => useVolumes(context, ['snippets'])

const useUserPicker: Picker = () => {
  const { data } = useApi('GET /access/users', {})
  return (data ?? []).map((each) => ({ value: each.userid, hint: each.comment }))
}

const useTokenPicker: Picker = () => {
  const { data } = useApi('GET /access/users', { full: 1 })
  const rows = (data ?? []) as unknown as { userid: string; tokens?: { tokenid: string; comment?: string }[] }[]
  return rows.flatMap(({ userid, tokens }) =>
    Array.isArray(tokens) ? tokens.map((each) => ({ value: `${userid}!${each.tokenid}`, hint: each.comment })) : [],
  )
}

const useGroupPicker: Picker = () => {
  const { data } = useApi('GET /access/groups', {})
  return (data ?? []).map((each) => ({ value: each.groupid, hint: each.comment }))
}

const useRolePicker: Picker = () => {
  const { data } = useApi('GET /access/roles', {})
  return (data ?? []).map((each) => ({ value: each.roleid }))
}

const usePrivilegePicker: Picker = () => {
  const { data } = useApi('GET /access/roles', {})
  const all = (data ?? []).flatMap(({ privs }) => String(privs ?? '').split(','))
  return [...new Set(all)]
    .filter(Boolean)
    .sort()
    .map((value) => ({ value }))
}

const useRealmPicker: Picker = () => {
  const { data } = useApi('GET /access/domains', {})
  return (data ?? []).map((each) => ({ value: each.realm, hint: each.comment }))
}

const useCpuPicker: Picker = (context) => {
  const node = useNodeOf(context) ?? ''
  const { data } = useApi('GET /nodes/{node}/capabilities/qemu/cpu', { node }, { enabled: node !== '' })
  return (data ?? []).map((each) => ({ value: each.name, hint: each.vendor }))
}

const useMachinePicker: Picker = (context) => {
  const node = useNodeOf(context) ?? ''
  const { data } = useApi('GET /nodes/{node}/capabilities/qemu/machines', { node }, { enabled: node !== '' })
  const kinds = [{ value: 'q35' }, { value: 'pc' }]
  return [...kinds, ...(data ?? []).map((each) => ({ value: each.id, hint: each.version }))]
}

const ROOTS = [
  '/',
  '/access',
  '/access/groups',
  '/access/realm',
  '/nodes',
  '/pool',
  '/storage',
  '/vms',
  '/mapping',
  '/sdn',
]

const useAclPathPicker: Picker = () => {
  const { guests, nodes, storages, pools } = useInventory()
  return useMemo(
    () => [
      ...ROOTS.map((value) => ({ value })),
      ...[...nodes.keys()].map((name) => ({ value: `/nodes/${name}` })),
      ...[...pools.keys()].map((name) => ({ value: `/pool/${name}` })),
      ...[...new Set([...storages.values()].map(({ storage }) => storage))].map((name) => ({
        value: `/storage/${name}`,
      })),
      ...[...guests.values()].map(({ vmid, name }) => ({ value: `/vms/${vmid}`, hint: name })),
    ],
    [guests, nodes, storages, pools],
  )
}

const useZonePicker: Picker = () =>
  useMemo(() => ['Etc/UTC', ...Intl.supportedValuesOf('timeZone')].map((value) => ({ value })), [])

const CONTENTS = ['images', 'iso', 'import', 'backup', 'snippets', 'vztmpl', 'rootdir', 'none'].map((value) => ({
  value,
}))
const useContentPicker: Picker = () => CONTENTS
const HOTPLUG = ['network', 'disk', 'cpu', 'memory', 'usb', 'cloudinit'].map((value) => ({ value }))
const useHotplugPicker: Picker = () => HOTPLUG

/** By format. A list `FORMAT-list` has the choices of its items. */
export const pickers: Readonly<Record<string, Picker>> = {
  'pve-node': useNodePicker,
  'pve-vmid': useGuestPicker,
  'pve-storage-id': useStoragePicker,
  'pve-poolid': usePoolPicker,
  'pve-tag': useTagPicker,
  'pve-bridge-id': useBridgePicker,
  'pve-iface': useInterfacePicker,
  'pve-volume-id': useSnippetPicker,
  'pve-volume-id-or-qm-path': useVolumePicker,
  'pve-volume-id-or-absolute-path': useImportPicker,
  'pve-userid': useUserPicker,
  'pve-tokenid': useTokenPicker,
  'pve-groupid': useGroupPicker,
  'pve-roleid': useRolePicker,
  'pve-priv': usePrivilegePicker,
  'pve-realm': useRealmPicker,
  'pve-cpu-type': useCpuPicker,
  'pve-storage-content': useContentPicker,
  'pve-hotplug-features': useHotplugPicker,
}

/** By `OPERATION NAME`, or by the name alone. */
const byName: Readonly<Record<string, Picker>> = {
  'PUT /access/acl path': useAclPathPicker,
  'GET /access/permissions path': useAclPathPicker,
  timezone: useZonePicker,
  type: useNone,
}
const MACHINE = /^(machine\.type|machine)$/

/** Where a thing is made that has no name yet, there is nothing to choose. */
const NEW = new Set([
  'POST /nodes/{node}/qemu vmid',
  'POST /pools poolid',
  'POST /access/users userid',
  'POST /access/groups groupid',
  'POST /access/roles roleid',
  'POST /storage storage',
])

/** The picker of a field, if it has one. `name` is the field's place: `net0.bridge` for a key of a property string. */
export function pickerOf(field: FieldSchema, name: string, operation: string): Picker | undefined {
  if (NEW.has(`${operation} ${name}`)) return undefined
  if (MACHINE.test(name) && !field.prop) return useMachinePicker
  const format = field.list?.format ?? field.format?.replace(/-list$/, '')
  return byName[`${operation} ${name}`] ?? (format ? pickers[format] : undefined) ?? byName[field.name]
}

/** For fields without a picker: hooks must be called either way. */
export const usePickerOrNone = (picker: Picker | undefined): Picker => picker ?? useNone
