import { DataList, Group, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './Section.module.css'

/** A part of a page on a surface of its own, under a heading. */
export function Section({
  title,
  help,
  actions,
  children,
}: {
  title: string
  help?: ReactNode
  actions?: ReactNode
  children: ReactNode
}) {
  return (
    <section className={classes.section} aria-label={title}>
      <Stack gap="sm">
        <Group justify="space-between" align="flex-start" gap="sm">
          <Stack gap={2} maw={720} miw={0} flex="1 1 200px">
            <Title order={2} size="h3">
              {title}
            </Title>
            {help && (
              <Text size="sm" c="dimmed">
                {help}
              </Text>
            )}
          </Stack>
          {actions && <Group gap="xs">{actions}</Group>}
        </Group>
        {children}
      </Stack>
    </section>
  )
}

export type Fact = readonly [label: string, value: ReactNode] | false | undefined

/** Names and values, one below the other. What is false is left out. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <DataList labelWidth={140} gap="xs" styles={{ itemLabel: { width: 140, flex: 'none', overflowWrap: 'anywhere' } }}>
      {facts.map(
        (fact) =>
          fact && (
            <DataList.Item key={fact[0]}>
              <DataList.ItemLabel>{fact[0]}</DataList.ItemLabel>
              <DataList.ItemValue className="numeric" style={{ overflowWrap: 'anywhere', minWidth: 0 }}>
                {fact[1]}
              </DataList.ItemValue>
            </DataList.Item>
          ),
      )}
    </DataList>
  )
}
