import { Button, SegmentedControl, Stack, Text, Textarea } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Guest } from '@/live/types'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { Markdown } from '@/ui/Markdown'
import { Section } from '@/ui/Section'

export function Notes({ guest, text, mayEdit }: { guest: Guest; text: string; mayEdit: boolean }) {
  const { t } = useTranslation(['guest', 'common'])
  const [opened, setOpened] = useState(false)
  return (
    <Section
      title={t('notes.title')}
      actions={
        mayEdit && (
          <Button
            variant="subtle"
            size="compact-sm"
            leftSection={<IconPencil size={14} />}
            aria-label={t('notes.edit')}
            onClick={() => setOpened(true)}
          >
            {t('common:edit')}
          </Button>
        )
      }
    >
      {text ? <Markdown text={text} /> : <Text size="sm">{t('notes.none')}</Text>}
      {opened && <Editor guest={guest} before={text} onClose={() => setOpened(false)} />}
    </Section>
  )
}

function Editor({ guest, before, onClose }: { guest: Guest; before: string; onClose: () => void }) {
  const { t } = useTranslation(['guest', 'common'])
  const [text, setText] = useState(before)
  const [view, setView] = useState<'write' | 'look'>('write')
  const { node, vmid } = guest
  return (
    <ChangeDialog
      opened
      onClose={onClose}
      title={t('notes.edit')}
      operation="PUT /nodes/{node}/qemu/{vmid}/config"
      params={() => (text ? { node, vmid, description: text } : { node, vmid, delete: 'description' })}
      submit={t('common:save')}
      size="xl"
    >
      <Stack gap="xs">
        <SegmentedControl
          size="xs"
          w="fit-content"
          aria-label={t('notes.view')}
          value={view}
          onChange={(value) => setView(value as 'write' | 'look')}
          data={[
            { value: 'write', label: t('notes.write') },
            { value: 'look', label: t('notes.preview') },
          ]}
        />
        {view === 'write' ? (
          <Textarea
            label={t('notes.title')}
            description={t('notes.help')}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            autosize
            minRows={10}
            maxRows={24}
            maxLength={8192}
            data-autofocus
          />
        ) : (
          <Markdown text={text} />
        )}
      </Stack>
    </ChangeDialog>
  )
}
