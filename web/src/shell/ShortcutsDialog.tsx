import { Group, Kbd, Modal, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import { type Shortcut, useAllShortcuts } from '@/shell/shortcuts'
import { hide } from '@/shell/surfaces'

const GROUPS = ['go', 'do', 'page'] as const
const MAC = /Mac|iPhone|iPad/.test(navigator.userAgent)

/** All shortcuts that hold at the moment. */
export default function ShortcutsDialog() {
  const { t } = useTranslation('shell')
  const { t: common } = useTranslation()
  const all = useAllShortcuts()
  return (
    <Modal opened onClose={hide} title={t('keys.title')} size="lg" closeButtonProps={{ 'aria-label': common('close') }}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xl">
        {GROUPS.map((group) => {
          const mine = all.filter((each) => each.group === group)
          return mine.length > 0 && <Section key={group} title={t(`keys.groups.${group}`)} list={mine} />
        })}
      </SimpleGrid>
    </Modal>
  )
}

function Section({ title, list }: { title: string; list: readonly Shortcut[] }) {
  return (
    <Stack gap={6}>
      <Title order={3}>{title}</Title>
      {list.map((each) => (
        <Group key={each.keys} justify="space-between" wrap="nowrap">
          <Text size="sm">{each.label}</Text>
          <Keys keys={each.keys} />
        </Group>
      ))}
    </Stack>
  )
}

function Keys({ keys }: { keys: string }) {
  const { t } = useTranslation('shell')
  return (
    <Group gap={4} wrap="nowrap">
      {keys.split(' ').map((key, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same key may come twice
        <Fragment key={at}>
          {at > 0 && (
            <Text size="xs" c="dimmed">
              {t('keys.then')}
            </Text>
          )}
          <Kbd>
            {key
              .replace('mod+', MAC ? '⌘ ' : 'Ctrl ')
              .replace(/ ([a-z])$/, (_, letter: string) => ` ${letter.toUpperCase()}`)}
          </Kbd>
        </Fragment>
      ))}
    </Group>
  )
}
