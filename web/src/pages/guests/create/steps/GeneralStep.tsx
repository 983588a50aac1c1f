import { Checkbox, NumberInput, Select, SimpleGrid, Stack, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useGuests } from '@/live/inventory'
import { change, useDraft } from '@/pages/guests/create/draft'
import { useErrors } from '@/pages/guests/create/errors'
import type { Choices } from '@/pages/guests/create/useChoices'

/** What the guest is called, and where it belongs. */
export function GeneralStep({ choices, advanced }: { choices: Choices; advanced: boolean }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const errors = useErrors()
  const guests = useGuests()
  const tags = useMemo(() => [...new Set(guests.flatMap((guest) => guest.tags))].sort(), [guests])
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label={t('name')}
          description={t('nameHint')}
          value={draft.name}
          error={errors.name}
          onChange={(event) =>
            change({ name: event.currentTarget.value, nameTouched: event.currentTarget.value !== '' })
          }
        />
        <NumberInput
          label={t('vmid')}
          description={t('vmidHint')}
          placeholder={choices.nextid}
          min={100}
          max={999999999}
          allowDecimal={false}
          value={draft.vmid === '' ? '' : Number(draft.vmid)}
          error={errors.vmid}
          onChange={(value) => change({ vmid: String(value) })}
        />
        <Select
          label={t('node')}
          description={t('nodeHint')}
          data={choices.nodes}
          value={choices.node || null}
          error={errors.node}
          allowDeselect={false}
          onChange={(node) => change({ node: node ?? '', diskStorage: '', bridge: undefined })}
        />
        <Select
          label={t('pool')}
          description={t('poolHint')}
          data={choices.pools}
          value={draft.pool || null}
          placeholder={t('noPool')}
          disabled={choices.pools.length === 0}
          error={errors.pool}
          clearable
          clearButtonProps={{ 'aria-label': t('noPool') }}
          onChange={(pool) => change({ pool: pool ?? '' })}
        />
      </SimpleGrid>
      <TagsInput
        label={t('tags')}
        description={t('tagsHint')}
        data={tags}
        value={draft.tags}
        error={errors.tags}
        splitChars={[',', ';', ' ']}
        onChange={(value) => change({ tags: value })}
      />
      {advanced && (
        <>
          <Textarea
            label={t('notes')}
            description={t('notesHint')}
            autosize
            minRows={2}
            maxRows={6}
            value={draft.description}
            error={errors.description}
            onChange={(event) => change({ description: event.currentTarget.value })}
          />
          <Checkbox
            label={t('onboot')}
            checked={draft.onboot}
            onChange={(event) => change({ onboot: event.currentTarget.checked })}
          />
          <Checkbox
            label={t('protection')}
            checked={draft.protection}
            onChange={(event) => change({ protection: event.currentTarget.checked })}
          />
        </>
      )}
    </Stack>
  )
}
