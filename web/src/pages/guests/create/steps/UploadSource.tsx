/** One's own file as the source: it is on its way as soon as it is chosen. */
import { Alert, Button, Group, Text } from '@mantine/core'
import { IconUpload } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import styles from '@/pages/guests/create/CreateVm.module.css'
import { change, type Source, useDraft } from '@/pages/guests/create/draft'
import { volumeOf } from '@/pages/guests/create/params'
import { type Choices, storagesFor } from '@/pages/guests/create/useChoices'
import { Dropzone } from '@/pages/storage/upload/Dropzone'
import { HEAD, type Recognised, recognise } from '@/pages/storage/upload/files'
import { cancel, enqueue, useUploads } from '@/pages/storage/upload/queue'
import { UploadProgress } from '@/pages/storage/upload/UploadProgress'

interface Clash {
  file: File
  found: Recognised
  storage: string
  volid: string
}

export function UploadSource({ choices, choose }: { choices: Choices; choose: (source: Source) => void }) {
  const { t } = useTranslation('wizard')
  const { source } = useDraft()
  const [wrong, setWrong] = useState('')
  const [clash, setClash] = useState<Clash | null>(null)
  const current = useUploads().find(({ id }) => source.kind === 'upload' && id === source.upload)

  const arrived = current?.state === 'done'
  useEffect(() => {
    // From now on it is an image like the others, which a reload of the page doesn't lose.
    if (arrived && source.kind === 'upload' && source.content !== 'vztmpl')
      change({
        source: { kind: 'volume', volid: volumeOf(source), content: source.content, filename: source.filename },
      })
  }, [arrived, source])

  const lost = current?.state === 'failed' || current?.state === 'cancelled'
  useEffect(() => {
    if (!lost) return
    if (current.state === 'failed') setWrong(current.error ?? '')
    change({ source: { kind: 'none' } })
  }, [lost, current])

  function begin({ file, found, storage }: Omit<Clash, 'volid'>): void {
    setClash(null)
    const id = enqueue({ file, node: choices.node, storage, ...found })
    choose({ kind: 'upload', upload: id, storage, ...found })
  }

  async function take(files: File[]): Promise<void> {
    const file = files[0]
    if (!file) return
    setWrong('')
    const found = recognise(file.name, new Uint8Array(await file.slice(0, HEAD).arrayBuffer()))
    if (!found || found.content === 'vztmpl') return setWrong(t('notAnImage', { name: file.name }))
    const storage = storagesFor(choices.storages, found.content)[0]?.storage
    if (!storage) return setWrong(t('noStorageFor', { content: found.content }))
    const volid = `${storage}:${found.content}/${found.filename}`
    if (choices.images.some((each) => each.volid === volid)) setClash({ file, found, storage, volid })
    else begin({ file, found, storage })
  }

  return (
    <Dropzone
      className={current ? `${styles.drop} ${styles.chosen}` : styles.drop}
      overClassName={styles.over}
      onFiles={(files) => void take(files)}
      accept=".iso,.img,.qcow2,.raw,.vmdk,.ova"
    >
      {(browse) => (
        <>
          {current ? (
            <UploadProgress upload={current} onCancel={() => cancel(current.id)} />
          ) : (
            <Group justify="space-between" gap="xs">
              <div>
                <Text fw={500}>{t('yourFile')}</Text>
                <Text size="sm" c="dimmed">
                  {t('yourFileHint')}
                </Text>
              </div>
              <Button
                leftSection={<IconUpload size={16} aria-hidden />}
                variant="light"
                onClick={browse}
                data-autofocus
              >
                {t('chooseFile')}
              </Button>
            </Group>
          )}
          {wrong && (
            <Alert color="red" mt="xs" role="alert">
              {wrong}
            </Alert>
          )}
          {clash && (
            <Alert color="orange" mt="xs" title={t('alreadyThere', { name: clash.found.filename })}>
              <Group gap="xs">
                <Button
                  size="xs"
                  onClick={() => {
                    setClash(null)
                    choose({
                      kind: 'volume',
                      volid: clash.volid,
                      content: clash.found.content as 'iso',
                      filename: clash.found.filename,
                    })
                  }}
                >
                  {t('useIt')}
                </Button>
                <Button size="xs" variant="default" onClick={() => begin(clash)}>
                  {t('replaceIt')}
                </Button>
              </Group>
            </Alert>
          )}
        </>
      )}
    </Dropzone>
  )
}
