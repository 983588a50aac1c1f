import { Text } from '@mantine/core'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Held } from '@/pages/access/EffectiveTab'
import { compare, telling } from '@/pages/access/effective'
import { usePlaces } from '@/pages/access/PathPicker'
import { type Column, DataTable } from '@/ui/DataTable'

interface PathRow {
  path: string
  name: string
  held: string[]
  onlyLeft: string[]
  onlyRight: string[]
}

const names = (held: Held, path: string): string[] => Object.keys(held[path] ?? {})

function useRows(left: Held, right: Held | undefined): PathRow[] {
  const places = usePlaces()
  return useMemo(() => {
    const known = new Map(places.map((place) => [place.path, place.name]))
    const paths = [...new Set([...telling(left), ...(right ? telling(right) : [])])].sort()
    const rows = paths.map((path) => {
      const differences = right ? compare(names(left, path), names(right, path)) : []
      return {
        path,
        name: known.get(path) ?? '',
        held: names(left, path),
        onlyLeft: differences.filter((each) => each.left && !each.right).map((each) => each.privilege),
        onlyRight: differences.filter((each) => each.right && !each.left).map((each) => each.privilege),
      }
    })
    return right ? rows.filter((row) => row.onlyLeft.length + row.onlyRight.length > 0) : rows
  }, [left, right, places])
}

/** Where somebody has permissions; of two, where they differ. */
export function EffectivePaths(props: {
  who: string
  other: string | undefined
  left: Held
  right: Held | undefined
  onOpen: (path: string) => void
}) {
  const { t } = useTranslation(['access', 'common'])
  const { who, other } = props
  const rows = useRows(props.left, props.right)
  const columns = useMemo<Column<PathRow>[]>(() => {
    const list = (id: 'held' | 'onlyLeft' | 'onlyRight', header: string): Column<PathRow> => ({
      id,
      header,
      value: (row) => row[id],
      cell: (row) => (
        <Text size="sm" truncate title={row[id].join(', ')}>
          {t('effective.count', { count: row[id].length })}
          {row[id].length > 0 && ` · ${row[id].join(', ')}`}
        </Text>
      ),
      width: 320,
      mobile: 'meta',
    })
    return [
      {
        id: 'path',
        header: t('effective.path'),
        value: (row) => row.path,
        width: 160,
        required: true,
        mobile: 'title',
      },
      { id: 'name', header: t('common:name'), value: (row) => row.name, width: 140, mobile: 'side' },
      ...(other
        ? [list('onlyLeft', t('effective.only', { who })), list('onlyRight', t('effective.only', { who: other }))]
        : [list('held', t('effective.privilege'))]),
    ]
  }, [t, who, other])
  return (
    <DataTable
      id={other ? 'effective-compared' : 'effective-paths'}
      label={t('tab.effective')}
      columns={columns}
      rows={rows}
      rowKey={(row) => row.path}
      rowName={(row) => row.path}
      onOpen={(row) => props.onOpen(row.path)}
      stateIn="memory"
      empty={{ title: other ? t('effective.same') : t('effective.nothingAnywhere', { who }) }}
    />
  )
}
