import { ActionIcon, Button, Checkbox, Group, Popover, ScrollArea, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconChevronDown, IconX } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { number } from '@/ui/format'
import classes from './DataTable.module.css'
import { optionCounts } from './rows'
import type { Column } from './types'

interface FilterProps<Row> {
  column: Column<Row>
  wanted: readonly string[]
  /** The rows that the other filters let through. */
  rows: () => readonly Row[]
  counted: boolean
  onChange: (values: readonly string[]) => void
}

/** A filter: its name and what is wanted, and behind it the choice. */
export function FilterMenu<Row>(props: FilterProps<Row>) {
  const { column, wanted, onChange } = props
  const { t } = useTranslation('lists')
  const [opened, setOpened] = useState(false)
  const label = column.label ?? String
  const active = wanted.length > 0
  return (
    <Group gap={0} wrap="nowrap" className={classes.filter} data-active={active || undefined}>
      <Popover
        opened={opened}
        onChange={setOpened}
        position="bottom-start"
        trapFocus
        returnFocus
        shadow="md"
        width={260}
      >
        <Popover.Target>
          <Button
            size="xs"
            variant="subtle"
            color="gray"
            c="var(--mantine-color-text)"
            rightSection={active ? null : <IconChevronDown size={14} />}
            onClick={() => setOpened((now) => !now)}
            fw={500}
          >
            <span className={classes.clip}>
              {column.header}
              {active && `: ${wanted.map((value) => label(value)).join(', ')}`}
            </span>
          </Button>
        </Popover.Target>
        <Popover.Dropdown p="xs" aria-label={column.header}>
          {column.filter === 'text' ? <Contains {...props} /> : <Options {...props} />}
        </Popover.Dropdown>
      </Popover>
      {active && (
        <ActionIcon
          size={28}
          variant="subtle"
          color="gray"
          aria-label={t('clearFilter', { name: column.header })}
          onClick={() => onChange([])}
        >
          <IconX size={14} />
        </ActionIcon>
      )}
    </Group>
  )
}

function Contains<Row>({ column, wanted, onChange }: FilterProps<Row>) {
  const { t } = useTranslation('lists')
  const change = useDebouncedCallback((text: string) => onChange(text ? [text] : []), 250)
  return (
    <TextInput
      data-autofocus
      size="xs"
      label={t('contains', { name: column.header })}
      defaultValue={wanted[0] ?? ''}
      onChange={(event) => change(event.currentTarget.value.trim())}
    />
  )
}

const SHOWN = 100

function Options<Row>({ column, wanted, rows, counted, onChange }: FilterProps<Row>) {
  const { t } = useTranslation('lists')
  const [search, setSearch] = useState('')
  const all = useMemo(() => optionCounts(rows(), column, wanted), [rows, column, wanted])
  const label = column.label ?? String
  const found = all.filter(({ value }) => label(value).toLowerCase().includes(search.toLowerCase()))
  const toggle = (value: string) => {
    if (wanted.includes(value)) onChange(wanted.filter((one) => one !== value))
    else onChange(column.single ? [value] : [...wanted, value])
  }
  return (
    <Stack gap="xs">
      {all.length > 8 && (
        <TextInput
          data-autofocus
          size="xs"
          aria-label={t('findOption')}
          placeholder={t('findOption')}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      <ScrollArea.Autosize mah={300} type="auto">
        <Stack gap={2}>
          {found.slice(0, SHOWN).map(({ value, count }) => (
            <Group key={value} justify="space-between" wrap="nowrap" gap="xs" mih={28}>
              <Checkbox
                size="xs"
                label={label(value)}
                checked={wanted.includes(value)}
                onChange={() => toggle(value)}
                classNames={{ label: classes.option }}
              />
              {counted && (
                <Text size="xs" c="dimmed" className="numeric">
                  {number(count)}
                </Text>
              )}
            </Group>
          ))}
        </Stack>
      </ScrollArea.Autosize>
      {found.length > SHOWN && (
        <Text size="xs" c="dimmed">
          {t('moreOptions', { number: number(found.length - SHOWN) })}
        </Text>
      )}
      {found.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('noOptions')}
        </Text>
      )}
    </Stack>
  )
}
