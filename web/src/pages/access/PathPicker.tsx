import { Autocomplete, Group, Text } from '@mantine/core'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useInventory } from '@/live/inventory'
import { useGroups } from '@/pages/access/data'

interface Place {
  path: string
  /** What there is, in words: `web-1`. */
  name: string
  kind: string
}

/** The real things that permissions can be about. */
export function usePlaces(): Place[] {
  const { t } = useTranslation(['access', 'common'])
  const { guests, nodes, storages, pools } = useInventory()
  const groups = useGroups().data
  return useMemo(() => {
    const all = t('acl.object.all')
    const roots: [string, string][] = [
      ['/', all],
      ['/vms', t('acl.object.vms')],
      ['/storage', t('acl.object.storage')],
      ['/nodes', t('acl.object.nodes')],
      ['/pool', t('acl.object.pool')],
      ['/access', t('acl.object.access')],
      ['/access/groups', t('acl.object.groups')],
      ['/access/realm', t('acl.object.realm')],
      ['/sdn', t('acl.object.sdn')],
      ['/mapping', t('acl.object.mapping')],
    ]
    const names = [...new Set([...storages.values()].map((each) => each.storage))]
    return [
      ...roots.map(([path, name]) => ({ path, name, kind: '' })),
      ...[...pools.keys()].map((name) => ({ path: `/pool/${name}`, name, kind: t('acl.object.aPool') })),
      ...names.map((name) => ({ path: `/storage/${name}`, name, kind: t('acl.object.aStorage') })),
      ...[...nodes.keys()].map((name) => ({ path: `/nodes/${name}`, name, kind: t('acl.object.node') })),
      ...(groups ?? []).map(({ groupid }) => ({
        path: `/access/groups/${groupid}`,
        name: groupid,
        kind: t('acl.object.group'),
      })),
      ...[...guests.values()].map((each) => ({
        path: `/vms/${each.vmid}`,
        name: each.name,
        kind: t('acl.object.guest'),
      })),
    ]
  }, [t, guests, nodes, storages, pools, groups])
}

/** The most that is offered at once: there may be ten thousand guests. */
const OFFERED = 50

/** An ACL path: chosen by the thing's name, or typed. */
export function PathPicker({
  value,
  onChange,
  label,
  description,
  error,
  required,
  below,
}: {
  value: string
  onChange: (path: string) => void
  label: string
  description: string
  error?: string
  required?: boolean
  /** The description stands below the field, as its neighbours' do. */
  below?: boolean
}) {
  const places = usePlaces()
  const byPath = useMemo(() => new Map(places.map((place) => [place.path, place])), [places])
  return (
    <Autocomplete
      label={label}
      description={description}
      data={places.map((place) => place.path)}
      value={value}
      onChange={onChange}
      error={error}
      inputWrapperOrder={below ? ['label', 'input', 'description', 'error'] : undefined}
      required={required}
      limit={OFFERED}
      filter={({ options, search, limit }) => {
        const asked = search.trim().toLowerCase()
        const fits = (path: string) => {
          const place = byPath.get(path)
          return `${path} ${place?.name ?? ''} ${place?.kind ?? ''}`.toLowerCase().includes(asked)
        }
        return options.filter((option) => 'value' in option && (asked === '' || fits(option.value))).slice(0, limit)
      }}
      renderOption={({ option }) => {
        const place = byPath.get(option.value)
        return (
          <Group gap="xs" wrap="nowrap" justify="space-between" flex={1}>
            <Text size="sm" className="mono">
              {option.value}
            </Text>
            <Text size="sm" c="dimmed" truncate>
              {place?.kind ? `${place.kind} ${place.name}` : place?.name}
            </Text>
          </Group>
        )
      }}
    />
  )
}
