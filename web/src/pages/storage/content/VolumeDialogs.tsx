import { Alert, Stack, Text, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { refresh } from '@/api/query'
import { filename, removals, type Volume, volname } from '@/pages/storage/content/volumes'
import { ChangeDialog } from '@/plan/ChangeDialog'
import { BulkDialog } from '@/ui/Bulk/BulkDialog'

/** What is to be done with a volume, or with several. */
export type Deed =
  | { kind: 'remove' | 'notes' | 'protect'; volume: Volume }
  | { kind: 'removeAll'; volumes: readonly Volume[] }

interface Props {
  deed: Deed | undefined
  opened: boolean
  /** Another one for each opening: the form begins anew. */
  id: number
  onClose: () => void
  place: { node: string; storage: string }
}

type One = Omit<Props, 'deed' | 'id'> & { volume: Volume }

const again = () => void refresh('GET /nodes/{node}/storage/{storage}/content')

export function VolumeDialogs({ deed, id, ...props }: Props) {
  if (!deed) return null
  if (deed.kind === 'removeAll') return <RemoveAll key={id} volumes={deed.volumes} {...props} />
  const Dialog = { remove: Remove, notes: Notes, protect: Protect }[deed.kind]
  return <Dialog key={id} volume={deed.volume} {...props} />
}

function Remove({ volume, place, opened, onClose }: One) {
  const { t } = useTranslation(['storage', 'common'])
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('removeTitle', { name: filename(volume.volid) })}
      operation="DELETE /nodes/{node}/storage/{storage}/content/{volume}"
      params={() => ({ ...place, volume: volname(volume.volid) })}
      submit={t('remove')}
      danger
      onDone={again}
    >
      <Stack gap="xs">
        <Text size="sm">{t('removeText', { volid: volume.volid })}</Text>
        {volume.content === 'images' && volume.vmid !== undefined && (
          <Alert color="orange">{t('removeDisk', { vmid: volume.vmid })}</Alert>
        )}
      </Stack>
    </ChangeDialog>
  )
}

function RemoveAll({ volumes, place, opened, onClose }: Omit<One, 'volume'> & { volumes: readonly Volume[] }) {
  const { t } = useTranslation('storage')
  const jobs = removals(volumes, place)
  return (
    <BulkDialog
      opened={opened}
      onClose={onClose}
      title={t('removeAllTitle', { count: jobs.length })}
      submit={t('remove')}
      danger
      jobs={() => jobs}
    >
      <Text size="sm">{t('removeAllText')}</Text>
    </BulkDialog>
  )
}

function Notes({ volume, place, opened, onClose }: One) {
  const { t } = useTranslation(['storage', 'common'])
  const [notes, setNotes] = useState(volume.notes ?? '')
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('notesTitle', { name: filename(volume.volid) })}
      operation="PUT /nodes/{node}/storage/{storage}/content/{volume}"
      params={() => ({ ...place, volume: volname(volume.volid), notes })}
      submit={t('common:save')}
      onDone={again}
    >
      <Textarea
        label={t('columns.notes')}
        autosize
        minRows={3}
        maxRows={12}
        value={notes}
        onChange={(event) => setNotes(event.currentTarget.value)}
      />
    </ChangeDialog>
  )
}

function Protect({ volume, place, opened, onClose }: One) {
  const { t } = useTranslation(['storage', 'common'])
  const held = volume.protected === 1
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t(held ? 'unprotectTitle' : 'protectTitle', { name: filename(volume.volid) })}
      operation="PUT /nodes/{node}/storage/{storage}/content/{volume}"
      params={() => ({ ...place, volume: volname(volume.volid), protected: held ? 0 : 1 })}
      submit={held ? t('unprotect') : t('protect')}
      onDone={again}
    >
      <Text size="sm">{held ? t('unprotectText') : t('protectText')}</Text>
    </ChangeDialog>
  )
}
