import { ActionIcon, Checkbox, Group, Stack, Text } from '@mantine/core'
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Guest } from '@/live/types'
import { type BootEntry, bootEntries, bootText, moved } from '@/pages/guests/options/options'
import { ChangeDialog } from '@/plan/ChangeDialog'

/** What the guest tries to boot from, in which order. */
export function BootOrder({
  guest,
  config,
  onClose,
}: {
  guest: Guest
  config: Readonly<Record<string, unknown>>
  onClose: () => void
}) {
  const { t } = useTranslation(['options', 'common'])
  const [entries, setEntries] = useState<BootEntry[]>(() => bootEntries(String(config.boot ?? ''), config))
  const { node, vmid } = guest
  return (
    <ChangeDialog
      opened
      onClose={onClose}
      title={t('boot.title')}
      operation="PUT /nodes/{node}/qemu/{vmid}/config"
      params={() => ({ node, vmid, boot: bootText(entries) })}
      submit={t('common:save')}
    >
      <Stack gap={6} component="ol" m={0} p={0} style={{ listStyle: 'none' }}>
        {entries.map((entry, place) => (
          <li key={entry.name}>
            <Group gap="xs" wrap="nowrap">
              <Checkbox
                checked={entry.on}
                aria-label={t('boot.from', { name: entry.name })}
                onChange={(event) =>
                  setEntries(
                    entries.map((each, at) => (at === place ? { ...each, on: event.currentTarget.checked } : each)),
                  )
                }
              />
              <ActionIcon
                variant="default"
                aria-label={t('boot.up', { name: entry.name })}
                disabled={place === 0}
                onClick={() => setEntries(moved(entries, place, -1))}
              >
                <IconArrowUp size={16} />
              </ActionIcon>
              <ActionIcon
                variant="default"
                aria-label={t('boot.down', { name: entry.name })}
                disabled={place === entries.length - 1}
                onClick={() => setEntries(moved(entries, place, 1))}
              >
                <IconArrowDown size={16} />
              </ActionIcon>
              <Text size="sm" className="mono">
                {entry.name}
              </Text>
              <Text size="xs" c="dimmed" truncate>
                {String(config[entry.name] ?? '')}
              </Text>
            </Group>
          </li>
        ))}
      </Stack>
      {entries.length === 0 && <Text size="sm">{t('boot.none')}</Text>}
    </ChangeDialog>
  )
}
