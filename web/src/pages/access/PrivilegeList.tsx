import { Checkbox, Group, Stack, Text, TextInput } from '@mantine/core'
import { IconCheck, IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { areaOf, byArea, keyOf } from '@/pages/access/privileges'
import classes from './PrivilegeList.module.css'

type Chosen = ReadonlySet<string>

const AREAS = ['VM', 'Datastore', 'Pool', 'Sys', 'Access', 'SDN', 'Mapping'] as const
type Area = (typeof AREAS)[number]

/** The words for an area and a privilege; those that are newer than this page have only their names. */
export function useWords() {
  const { t } = useTranslation(['access', 'common'])
  return {
    area: (area: string) => (AREAS.includes(area as Area) ? t(`area.${area as Area}`) : `${t('area.Other')}: ${area}`),
    meaning: (privilege: string) => t(keyOf(privilege), { defaultValue: '' }),
  }
}

/** Privileges under their areas, each with what it means: to tick, or (without `onChange`) to read. */
export function PrivilegeList({
  all,
  chosen,
  onChange,
  error,
}: {
  all: readonly string[]
  chosen: Chosen
  onChange?: (chosen: Chosen) => void
  error?: string
}) {
  const { t } = useTranslation(['access', 'common'])
  const say = useWords()
  const [find, setFind] = useState('')
  const asked = find.trim().toLowerCase()
  const shown = (onChange ? all : [...chosen]).filter(
    (each) => !asked || `${each} ${say.meaning(each)} ${say.area(areaOf(each))}`.toLowerCase().includes(asked),
  )
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="sm">
        <TextInput
          size="xs"
          type="search"
          aria-label={t('role.find')}
          placeholder={t('role.find')}
          leftSection={<IconSearch size={14} aria-hidden />}
          value={find}
          onChange={(event) => setFind(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Enter' && event.preventDefault()}
        />
        <Text size="sm" c="dimmed" role="status">
          {onChange ? t('role.chosen', { count: chosen.size }) : t('role.count', { count: chosen.size })}
        </Text>
      </Group>
      {error && (
        <Text size="sm" c="var(--corral-bad)" role="alert">
          {error}
        </Text>
      )}
      {shown.length === 0 && <Text c="dimmed">{t('role.nothingFound')}</Text>}
      {byArea(shown).map(([area, privileges]) => (
        <OneArea key={area} title={say.area(area)} privileges={privileges} chosen={chosen} onChange={onChange} />
      ))}
    </Stack>
  )
}

function OneArea({
  title,
  privileges,
  chosen,
  onChange,
}: {
  title: string
  privileges: string[]
  chosen: Chosen
  onChange?: (chosen: Chosen) => void
}) {
  const { t } = useTranslation(['access', 'common'])
  const held = privileges.filter((each) => chosen.has(each))
  const toggle = (names: readonly string[], on: boolean) => {
    const next = new Set(chosen)
    for (const name of names) on ? next.add(name) : next.delete(name)
    onChange?.(next)
  }
  return (
    <fieldset className={classes.area}>
      <legend>
        {onChange ? (
          <Checkbox
            size="xs"
            fw={600}
            label={title}
            aria-label={t('role.whole', { area: title })}
            checked={held.length === privileges.length}
            indeterminate={held.length > 0 && held.length < privileges.length}
            onChange={(event) => toggle(privileges, event.currentTarget.checked)}
          />
        ) : (
          <Text size="sm" fw={600}>
            {title}
          </Text>
        )}
      </legend>
      <div className={classes.list}>
        {privileges.map((each) => (
          <OnePrivilege
            key={each}
            name={each}
            checked={chosen.has(each)}
            onChange={onChange && ((on) => toggle([each], on))}
          />
        ))}
      </div>
    </fieldset>
  )
}

function OnePrivilege({
  name,
  checked,
  onChange,
}: {
  name: string
  checked: boolean
  onChange?: (on: boolean) => void
}) {
  const meaning = useWords().meaning(name)
  if (onChange)
    return (
      <Checkbox
        size="sm"
        label={name}
        description={meaning}
        checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    )
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start">
      <IconCheck size={16} color="var(--corral-ok)" aria-hidden style={{ flex: 'none', marginTop: 2 }} />
      <div>
        <Text size="sm">{name}</Text>
        <Text size="xs" c="dimmed">
          {meaning}
        </Text>
      </div>
    </Group>
  )
}
