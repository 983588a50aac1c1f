import { ActionIcon, Menu } from '@mantine/core'
import { IconAdjustmentsHorizontal, IconFileDownload } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { parseSort, printSort } from './query'
import { isShown, type Settings, useDensity } from './settings'
import type { Column, TableState } from './types'

interface ViewMenuProps<Row> {
  columns: readonly Column<Row>[]
  settings: Settings
  onSettings: (next: Settings) => void
  state: TableState
  /** Cards have no headers to sort by. */
  cards: boolean
  sortable: boolean
  onExport: () => void
}

/** How the table looks: columns, density, and on phones the order. And its export. */
export function ViewMenu<Row>(props: ViewMenuProps<Row>) {
  const { t } = useTranslation('lists')
  return (
    <Menu position="bottom-end" shadow="md" withinPortal closeOnItemClick={false} width={230}>
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label={t('view')} title={t('view')}>
          <IconAdjustmentsHorizontal size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown mah="70dvh" style={{ overflowY: 'auto' }}>
        <Menu.Item leftSection={<IconFileDownload size={16} />} closeMenuOnClick onClick={props.onExport}>
          {t('export')}
        </Menu.Item>
        {!props.cards && <DensityItems />}
        {props.cards ? props.sortable && <SortItems {...props} /> : <ColumnItems {...props} />}
      </Menu.Dropdown>
    </Menu>
  )
}

function ColumnItems<Row>({ columns, settings, onSettings }: ViewMenuProps<Row>) {
  const { t } = useTranslation('lists')
  const set = (id: string, on: boolean) => onSettings({ ...settings, shown: { ...settings.shown, [id]: on } })
  return (
    <>
      <Menu.Divider />
      <Menu.Label>{t('columns')}</Menu.Label>
      {columns.map((column) => (
        <Menu.CheckboxItem
          key={column.id}
          checked={isShown(column, settings)}
          disabled={column.required}
          onChange={(on) => set(column.id, on)}
        >
          {column.header}
        </Menu.CheckboxItem>
      ))}
      <Menu.Item onClick={() => onSettings({ shown: {}, widths: {} })}>{t('resetView')}</Menu.Item>
    </>
  )
}

function DensityItems() {
  const { t } = useTranslation('lists')
  const [density, setDensity] = useDensity()
  return (
    <>
      <Menu.Divider />
      <Menu.Label>{t('density')}</Menu.Label>
      <Menu.RadioGroup
        value={density}
        onChange={(value) => setDensity(value === 'compact' ? 'compact' : 'comfortable')}
      >
        <Menu.RadioItem value="comfortable">{t('comfortable')}</Menu.RadioItem>
        <Menu.RadioItem value="compact">{t('compact')}</Menu.RadioItem>
      </Menu.RadioGroup>
    </>
  )
}

function SortItems<Row>({ columns, state }: ViewMenuProps<Row>) {
  const { t } = useTranslation('lists')
  const { sort } = state.query
  const shown = columns.filter((column) => column.sortable !== false && column.mobile && column.mobile !== 'hidden')
  return (
    <>
      <Menu.Divider />
      <Menu.Label>{t('sortBy')}</Menu.Label>
      <Menu.RadioGroup
        value={sort ? printSort({ ...sort, descending: false }) : ''}
        onChange={(value) => state.setSort(parseSort(value))}
      >
        {shown.map((column) => (
          <Menu.RadioItem key={column.id} value={column.id}>
            {column.header}
          </Menu.RadioItem>
        ))}
      </Menu.RadioGroup>
      <Menu.CheckboxItem
        checked={sort?.descending ?? false}
        disabled={!sort}
        onChange={(descending) => sort && state.setSort({ ...sort, descending })}
      >
        {t('descending')}
      </Menu.CheckboxItem>
    </>
  )
}
