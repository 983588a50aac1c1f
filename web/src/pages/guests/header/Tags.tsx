import { ActionIcon, Button, Group, TagsInput } from '@mantine/core'
import { IconCheck, IconPencil, IconTagPlus, IconX } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useGuests } from '@/live/inventory'
import type { HeaderProps } from '@/pages/guests/header/GuestHeader'
import { act } from '@/ui/act'
import { Tag } from '@/ui/Tags'

/** A guest's tags, changed where they stand. */
export function Tags({ guest, may }: HeaderProps) {
  const { t } = useTranslation('guest')
  const [editing, setEditing] = useState(false)
  if (editing) return <Editor guest={guest} onClose={() => setEditing(false)} />
  const mayEdit = guest.type === 'qemu' && may('VM.Config.Options')
  return (
    <Group gap={6}>
      {guest.tags.map((tag) => (
        <Tag key={tag} name={tag} />
      ))}
      {mayEdit && guest.tags.length > 0 && (
        <ActionIcon
          variant="subtle"
          color="gray"
          size="sm"
          aria-label={t('tags.edit')}
          onClick={() => setEditing(true)}
        >
          <IconPencil size={14} />
        </ActionIcon>
      )}
      {mayEdit && guest.tags.length === 0 && (
        <Button
          variant="subtle"
          color="gray"
          size="compact-xs"
          leftSection={<IconTagPlus size={14} />}
          onClick={() => setEditing(true)}
        >
          {t('tags.add')}
        </Button>
      )}
    </Group>
  )
}

function Editor({ guest, onClose }: { guest: HeaderProps['guest']; onClose: () => void }) {
  const { t } = useTranslation(['guest', 'common'])
  const guests = useGuests()
  const known = useMemo(() => [...new Set(guests.flatMap(({ tags }) => tags))].sort(), [guests])
  const [tags, setTags] = useState<string[]>([...guest.tags])
  async function save(): Promise<void> {
    const { node, vmid } = guest
    const change = tags.length > 0 ? { tags: tags.join(';') } : { delete: 'tags' }
    onClose()
    await act(t('tags.edit'), 'PUT /nodes/{node}/qemu/{vmid}/config', { node, vmid, ...change })
  }
  return (
    <Group
      gap={6}
      align="flex-start"
      wrap="nowrap"
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose()
      }}
    >
      <TagsInput
        size="xs"
        miw={200}
        data={known}
        value={tags}
        onChange={(all) => setTags(all.map((tag) => tag.trim().toLowerCase()).filter(Boolean))}
        splitChars={[',', ';', ' ']}
        acceptValueOnBlur
        aria-label={t('tags.label')}
        autoFocus
      />
      <ActionIcon size={30} aria-label={t('common:save')} onClick={() => void save()}>
        <IconCheck size={16} />
      </ActionIcon>
      <ActionIcon size={30} variant="default" aria-label={t('common:cancel')} onClick={onClose}>
        <IconX size={16} />
      </ActionIcon>
    </Group>
  )
}
