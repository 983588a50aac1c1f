import { ActionIcon, Button, Group, Menu, Text } from '@mantine/core'
import { IconChevronUp, IconX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { number } from '@/ui/format'
import classes from './DataTable.module.css'
import type { BulkAction } from './types'

interface BulkBarProps<Row> {
  rows: readonly Row[]
  actions: readonly BulkAction<Row>[]
  cards: boolean
  onClear: () => void
}

/** What can be done with the chosen rows; below the table, where the thumb is. */
export function BulkBar<Row>({ rows, actions, cards, onClear }: BulkBarProps<Row>) {
  const { t } = useTranslation('lists')
  const primary = actions.filter((action) => action.primary)
  // A phone has room for two: those that can be done.
  const shown = cards ? primary.filter((action) => action.disabled?.(rows) === undefined).slice(0, 2) : primary
  const others = actions.filter((action) => !shown.includes(action))
  return (
    <div className={classes.bulk} role="toolbar" aria-label={t('bulkActions')}>
      <Group gap={4} wrap="nowrap">
        <ActionIcon variant="subtle" color="gray" size="md" onClick={onClear} aria-label={t('clearSelection')}>
          <IconX size={16} />
        </ActionIcon>
        <Text size="sm" fw={600} className="numeric" style={{ whiteSpace: 'nowrap' }}>
          {cards ? number(rows.length) : t('selected', { count: rows.length, number: number(rows.length) })}
        </Text>
      </Group>
      <Group gap={6} wrap="nowrap" ml={cards ? 'auto' : 'sm'}>
        {shown.map((action) => (
          <BulkButton key={action.id} action={action} rows={rows} />
        ))}
        {others.length > 0 && <MoreMenu actions={others} rows={rows} />}
      </Group>
    </div>
  )
}

function BulkButton<Row>({ action, rows }: { action: BulkAction<Row>; rows: readonly Row[] }) {
  const reason = action.disabled?.(rows)
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={action.icon}
      c={action.danger && reason === undefined ? 'var(--corral-bad)' : undefined}
      disabled={reason !== undefined}
      title={reason}
      onClick={() => action.onClick(rows)}
    >
      {action.label}
    </Button>
  )
}

function MoreMenu<Row>({ actions, rows }: { actions: readonly BulkAction<Row>[]; rows: readonly Row[] }) {
  const { t } = useTranslation()
  return (
    <Menu position="top-end" shadow="md" withinPortal>
      <Menu.Target>
        <Button size="xs" variant="default" rightSection={<IconChevronUp size={14} />}>
          {t('more')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {actions.map((action) => {
          const reason = action.disabled?.(rows)
          return (
            <Menu.Item
              key={action.id}
              leftSection={action.icon}
              color={action.danger ? 'var(--corral-bad)' : undefined}
              disabled={reason !== undefined}
              title={reason}
              onClick={() => action.onClick(rows)}
            >
              {action.label}
            </Menu.Item>
          )
        })}
      </Menu.Dropdown>
    </Menu>
  )
}
