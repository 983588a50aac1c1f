/** A file from any address as the source. */
import { Alert, Button, Collapse, Group, Stack, Text } from '@mantine/core'
import { IconCheck, IconWorldDownload } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { CLOUD_IMAGES } from '@/pages/guests/create/catalogue'
import { type Source, useDraft } from '@/pages/guests/create/draft'
import { useErrors } from '@/pages/guests/create/errors'
import { type Choices, storagesFor } from '@/pages/guests/create/useChoices'
import { DownloadFields } from '@/pages/storage/download/DownloadFields'
import { EMPTY_DOWNLOAD, isComplete } from '@/pages/storage/download/download'

export function AddressSource({ choices, choose }: { choices: Choices; choose: (source: Source) => void }) {
  const { t } = useTranslation('wizard')
  const { source } = useDraft()
  const errors = useErrors()
  const own = source.kind === 'download' && !CLOUD_IMAGES.some(({ url }) => url === source.url)
  const [open, setOpen] = useState(own)
  const [form, setForm] = useState(own ? { ...EMPTY_DOWNLOAD, ...source } : EMPTY_DOWNLOAD)
  const storage = storagesFor(choices.storages, form.content)[0]?.storage
  const ready = isComplete(form) && storage !== undefined && form.content !== 'vztmpl'
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Button
          variant="default"
          leftSection={<IconWorldDownload size={16} aria-hidden />}
          onClick={() => setOpen(!open)}
          aria-expanded={open}
        >
          {t('fromAddress')}
        </Button>
        {own && (
          <Group gap={4} wrap="nowrap">
            <IconCheck size={16} color="var(--corral-ok)" aria-hidden />
            <Text size="sm">{source.filename}</Text>
          </Group>
        )}
      </Group>
      <Collapse expanded={open}>
        <Stack gap="xs">
          <DownloadFields
            node={choices.node}
            value={form}
            onChange={setForm}
            errors={errors}
            contents={['iso', 'import']}
          />
          {isComplete(form) && !storage && <Alert color="orange">{t('noStorageFor', { content: form.content })}</Alert>}
          <Group>
            <Button
              variant="light"
              disabled={!ready}
              onClick={() => {
                if (!storage) return
                choose({ kind: 'download', storage, ...form })
                setOpen(false)
              }}
            >
              {t('useThis')}
            </Button>
          </Group>
        </Stack>
      </Collapse>
    </Stack>
  )
}
