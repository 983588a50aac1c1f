/** Files to send to a storage: chosen or dropped, each with its type and name; they go on their way in the background. */
import { ActionIcon, Alert, Button, Group, Modal, Paper, Select, Stack, Text, TextInput } from '@mantine/core'
import { IconTrash, IconUpload } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { filename } from '@/pages/storage/content/volumes'
import { ChecksumFields } from '@/pages/storage/upload/ChecksumFields'
import { Dropzone } from '@/pages/storage/upload/Dropzone'
import { algorithmOf, type FileContent, fits, HEAD, keptName, recognise } from '@/pages/storage/upload/files'
import { enqueue } from '@/pages/storage/upload/queue'
import styles from '@/pages/storage/upload/Upload.module.css'
import { showUpload } from '@/pages/storage/upload/UploadToast'
import { bytes } from '@/ui/format'

interface Item {
  key: number
  file: File
  filename: string
  content: FileContent
  checksum: string
  algorithm: string
}

interface Props {
  opened: boolean
  onClose: () => void
  node: string
  storage: string
  contents: readonly FileContent[]
}

let keys = 0

async function itemOf(file: File, contents: readonly FileContent[]): Promise<Item> {
  const found = recognise(file.name, new Uint8Array(await file.slice(0, HEAD).arrayBuffer()))
  const usable = found && contents.includes(found.content) ? found : undefined
  const content = usable?.content ?? contents[0] ?? 'iso'
  keys += 1
  return { key: keys, file, content, filename: usable?.filename ?? keptName(file.name), checksum: '', algorithm: '' }
}

/** The names that there are in the storage, for each content type. */
function useTaken({ node, storage, contents }: Props): ReadonlySet<string> {
  const { data } = useApi('GET /nodes/{node}/storage/{storage}/content', { node, storage })
  return new Set(
    (data ?? []).filter((each) => contents.includes(each.content as FileContent)).map(({ volid }) => filename(volid)),
  )
}

export function UploadDialog(props: Props) {
  const { t } = useTranslation(['storage', 'common'])
  const [items, setItems] = useState<Item[]>([])
  const taken = useTaken(props)
  const { node, storage } = props
  const wrong = items.some((item) => !fits(item.content, item.filename))

  async function add(files: File[]): Promise<void> {
    const added = await Promise.all(files.map((file) => itemOf(file, props.contents)))
    setItems((before) => [...before, ...added])
  }

  function send(): void {
    for (const { file, filename: name, content, checksum, algorithm } of items) {
      const sum = checksum.trim()
      const expected = sum ? { checksum: sum, algorithm: algorithm || algorithmOf(sum) } : {}
      showUpload(enqueue({ file, node, storage, content, filename: name, ...expected }))
    }
    setItems([])
    props.onClose()
  }

  const change = (key: number, fields: Partial<Item>) =>
    setItems(items.map((item) => (item.key === key ? { ...item, ...fields } : item)))
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={t('uploadTo', { storage })}
      size="lg"
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <Stack>
        <Dropzone className={styles.drop} overClassName={styles.over} multiple onFiles={(files) => void add(files)}>
          {(browse) => (
            <Group justify="space-between" gap="xs">
              <Text size="sm">{t('dropHere')}</Text>
              <Button variant="default" leftSection={<IconUpload size={16} aria-hidden />} onClick={browse}>
                {t('chooseFiles')}
              </Button>
            </Group>
          )}
        </Dropzone>
        {items.map((item) => (
          <OneFile
            key={item.key}
            item={item}
            contents={props.contents}
            taken={taken.has(item.filename)}
            onChange={(fields) => change(item.key, fields)}
            onRemove={() => setItems(items.filter(({ key }) => key !== item.key))}
          />
        ))}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            {t('common:cancel')}
          </Button>
          <Button onClick={send} disabled={items.length === 0 || wrong}>
            {t('upload')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function OneFile(props: {
  item: Item
  contents: readonly FileContent[]
  taken: boolean
  onChange: (fields: Partial<Item>) => void
  onRemove: () => void
}) {
  const { t } = useTranslation(['storage', 'common'])
  const { item, onChange } = props
  return (
    <Paper withBorder p="sm">
      <Stack gap="xs">
        <Group justify="space-between" wrap="nowrap">
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {item.file.name} · {bytes(item.file.size)}
          </Text>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('dontUpload', { name: item.file.name })}
            onClick={props.onRemove}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </Group>
        <Group grow align="flex-start">
          <TextInput
            label={t('fileName')}
            value={item.filename}
            error={fits(item.content, item.filename) ? undefined : t(`nameNeeds.${item.content}`)}
            onChange={(event) => onChange({ filename: keptName(event.currentTarget.value) })}
          />
          <Select
            label={t('content')}
            data={props.contents.map((each) => ({ value: each, label: t(`contents.${each}`) }))}
            value={item.content}
            allowDeselect={false}
            onChange={(content) => onChange({ content: content as FileContent })}
          />
        </Group>
        <ChecksumFields value={item} onChange={onChange} errors={{}} />
        {props.taken && <Alert color="orange">{t('willReplace', { name: item.filename })}</Alert>}
      </Stack>
    </Paper>
  )
}
