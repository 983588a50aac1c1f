/** What the guest starts from: images that are here, one's own file, one from the web, or nothing. */
import { Alert, Badge, Group, Loader, Radio, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import styles from '@/pages/guests/create/CreateVm.module.css'
import { CLOUD_IMAGES, type CloudImage } from '@/pages/guests/create/catalogue'
import { draft as drafts, type Source, useDraft, withSource } from '@/pages/guests/create/draft'
import { volumeOf } from '@/pages/guests/create/params'
import { AddressSource } from '@/pages/guests/create/steps/AddressSource'
import { UploadSource } from '@/pages/guests/create/steps/UploadSource'
import { type Choices, storagesFor, type Volume } from '@/pages/guests/create/useChoices'
import { bytes } from '@/ui/format'

const filename = (volid: string): string => volid.slice(volid.lastIndexOf('/') + 1)

/** The value of a source among the choices. */
const choiceOf = (source: Source): string => (source.kind === 'none' ? '' : volumeOf(source) || source.kind)

export function SourceStep({ choices }: { choices: Choices }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const choose = (source: Source) => drafts.set(withSource(drafts.get(), source, choices.taken))
  const store = storagesFor(choices.storages, 'import')[0]?.storage
  const cloudSource = (image: CloudImage): Source => ({
    kind: 'download',
    url: image.url,
    filename: image.filename,
    content: 'import',
    storage: store ?? '',
    user: image.user,
  })

  function pick(value: string): void {
    const cloud = CLOUD_IMAGES.find((image) => image.id === value)
    if (value === 'empty') choose({ kind: 'empty' })
    else if (cloud) choose(cloudSource(cloud))
    else {
      const volume = choices.images.find(({ volid }) => volid === value)
      if (volume)
        choose({ kind: 'volume', volid: value, content: volume.content as 'iso', filename: filename(volume.volid) })
    }
  }

  const chosenCloud = CLOUD_IMAGES.find(({ url }) => draft.source.kind === 'download' && draft.source.url === url)
  const here = new Set(choices.images.map(({ volid }) => filename(volid)))
  return (
    <Radio.Group value={chosenCloud?.id ?? choiceOf(draft.source)} onChange={pick} aria-label={t('source')}>
      <Stack gap="lg">
        <UploadSource choices={choices} choose={choose} />
        <Here choices={choices} />
        {store && (
          <Section title={t('cloudImages')} hint={t('cloudImagesHint')}>
            <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
              {CLOUD_IMAGES.filter((image) => !here.has(image.filename)).map((image) => (
                <Choice
                  key={image.id}
                  value={image.id}
                  title={image.name}
                  note={t('about', { size: bytes(image.size) })}
                />
              ))}
            </SimpleGrid>
          </Section>
        )}
        <Section title={t('otherSources')}>
          <Stack gap="xs">
            <AddressSource choices={choices} choose={choose} />
            <Choice value="empty" title={t('emptyDisk')} note={t('emptyDiskHint')} />
          </Stack>
        </Section>
      </Stack>
    </Radio.Group>
  )
}

function Section({ title, hint, children }: { title: string; hint?: string; children: React.ReactNode }) {
  return (
    <Stack gap="xs" component="section">
      <div>
        <Title order={3}>{title}</Title>
        {hint && (
          <Text size="sm" c="dimmed">
            {hint}
          </Text>
        )}
      </div>
      {children}
    </Stack>
  )
}

function Choice(props: { value: string; title: string; note?: string; badge?: string }) {
  return (
    <Radio.Card value={props.value} className={styles.choice} aria-label={props.title}>
      <Group wrap="nowrap" gap="sm">
        <Radio.Indicator />
        <div style={{ minWidth: 0, flex: 1 }}>
          <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
            {props.title}
          </Text>
          {props.note && (
            <Text size="xs" c="dimmed">
              {props.note}
            </Text>
          )}
        </div>
        {props.badge && (
          <Badge variant="default" tt="none" fw={500} style={{ flex: 'none' }}>
            {props.badge}
          </Badge>
        )}
      </Group>
    </Radio.Card>
  )
}

const SHOWN = 12

function Here({ choices }: { choices: Choices }) {
  const { t } = useTranslation('wizard')
  const [all, setAll] = useState(false)
  if (!choices.imagesRead) return <Loader size="sm" aria-label={t('reading')} />
  if (choices.storages.length > 0 && storagesFor(choices.storages, 'images').length === 0)
    return <Alert color="orange" title={t('noDiskStorage')} />
  if (choices.images.length === 0) return null
  const shown = all ? choices.images : choices.images.slice(0, SHOWN)
  return (
    <Section title={t('imagesHere')}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
        {shown.map((volume: Volume) => (
          <Choice
            key={volume.volid}
            value={volume.volid}
            title={filename(volume.volid)}
            note={`${volume.volid.split(':')[0]} · ${bytes(volume.size)}`}
            badge={volume.content === 'iso' ? 'ISO' : t('disk')}
          />
        ))}
      </SimpleGrid>
      {!all && choices.images.length > SHOWN && (
        <Text size="sm">
          <button type="button" onClick={() => setAll(true)}>
            {t('showAll', { count: choices.images.length })}
          </button>
        </Text>
      )}
    </Section>
  )
}
