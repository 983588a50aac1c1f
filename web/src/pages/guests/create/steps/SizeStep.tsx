/** Processors, memory and disk: a preset, or one's own figures. */
import { Alert, Group, NumberInput, Radio, Select, SimpleGrid, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import styles from '@/pages/guests/create/CreateVm.module.css'
import {
  change,
  type Draft,
  draft as drafts,
  isImage,
  PRESETS,
  type Preset,
  useDraft,
  withPreset,
} from '@/pages/guests/create/draft'
import { useErrors } from '@/pages/guests/create/errors'
import { SystemFields } from '@/pages/guests/create/steps/SystemFields'
import { type Choices, storagesFor } from '@/pages/guests/create/useChoices'
import { bytes } from '@/ui/format'

const MiB = 2 ** 20

export function SizeStep({ choices, advanced }: { choices: Choices; advanced: boolean }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const tooMuch = choices.memory > 0 && draft.memory > choices.memory
  return (
    <Stack>
      <Presets draft={draft} />
      {(draft.preset === 'custom' || advanced) && <Figures choices={choices} advanced={advanced} />}
      {tooMuch && <Alert color="orange">{t('tooMuchMemory', { memory: bytes(choices.memory * MiB) })}</Alert>}
      <Disk choices={choices} />
      <SystemFields choices={choices} advanced={advanced} />
    </Stack>
  )
}

function Presets({ draft }: { draft: Draft }) {
  const { t } = useTranslation('wizard')
  const choose = (value: string) => drafts.set(withPreset(drafts.get(), value as Preset))
  return (
    <Radio.Group label={t('size')} value={draft.preset} onChange={choose}>
      <SimpleGrid cols={{ base: 2, xs: 4 }} spacing="xs" mt={4}>
        {(Object.keys(PRESETS) as (keyof typeof PRESETS)[]).map((name) => (
          <Card key={name} value={name} title={t(`presets.${name}`)}>
            {t('cpusAndMemory', { count: PRESETS[name].cores, memory: bytes(PRESETS[name].memory * MiB) })}
          </Card>
        ))}
        <Card value="custom" title={t('presets.custom')}>
          {t('presetCustomHint')}
        </Card>
      </SimpleGrid>
    </Radio.Group>
  )
}

function Card({ value, title, children }: { value: string; title: string; children: string }) {
  return (
    <Radio.Card value={value} className={styles.choice} aria-label={`${title}: ${children}`}>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      <Text size="xs" c="dimmed">
        {children}
      </Text>
    </Radio.Card>
  )
}

function Figures({ choices, advanced }: { choices: Choices; advanced: boolean }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const errors = useErrors()
  const set = (fields: Partial<Draft>) => change({ ...fields, preset: 'custom' })
  return (
    <SimpleGrid cols={{ base: 1, xs: advanced ? 3 : 2 }}>
      <NumberInput
        label={t('cores')}
        description={choices.threads > 0 ? t('coresOf', { count: choices.threads }) : undefined}
        min={1}
        max={768}
        allowDecimal={false}
        value={draft.cores}
        error={errors.cores}
        onChange={(value) => set({ cores: Number(value) || 1 })}
      />
      {advanced && (
        <NumberInput
          label={t('sockets')}
          description={t('socketsHint')}
          min={1}
          max={16}
          allowDecimal={false}
          value={draft.sockets}
          error={errors.sockets}
          onChange={(value) => set({ sockets: Number(value) || 1 })}
        />
      )}
      <NumberInput
        label={t('memory')}
        description={bytes(draft.memory * MiB)}
        suffix=" MiB"
        min={16}
        step={512}
        allowDecimal={false}
        value={draft.memory}
        error={errors.memory ?? errors.balloon}
        onChange={(value) => set({ memory: Number(value) || 16 })}
      />
    </SimpleGrid>
  )
}

function Disk({ choices }: { choices: Choices }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const errors = useErrors()
  const image = isImage(draft.source)
  const storages = storagesFor(choices.storages, 'images')
  return (
    <Group align="flex-start" grow preventGrowOverflow={false} wrap="wrap">
      <NumberInput
        miw={150}
        label={t('diskSize')}
        description={image ? t('diskOfImage') : t('diskSizeHint')}
        suffix=" GiB"
        min={image ? 0 : 1}
        allowDecimal={false}
        value={draft.disk}
        error={errors.scsi0 ?? errors.sata0 ?? errors.size}
        onChange={(value) => change({ disk: Number(value) || 0 })}
      />
      <Select
        miw={200}
        label={t('diskStorage')}
        description={t('diskStorageHint')}
        data={storages.map(({ storage, avail }) => ({
          value: storage,
          label: t('storageWithRoom', { storage, room: bytes(avail) }),
        }))}
        value={choices.facts.diskStorage || null}
        allowDeselect={false}
        onChange={(diskStorage) => change({ diskStorage: diskStorage ?? '' })}
      />
    </Group>
  )
}
