import { Stack, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ChangeDialog } from '@/plan/ChangeDialog'

/** A new pool within another one; its name is asked for, its full name follows. */
export function NewPoolDialog({ inside, opened, onClose }: { inside: string; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation(['access', 'common'])
  const [name, setName] = useState('')
  const [comment, setComment] = useState('')
  const [errors, setErrors] = useState<Record<string, string>>({})
  const poolid = `${inside}/${name}`
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('pool.newTitle', { pool: inside })}
      operation="POST /pools"
      params={() => ({ poolid, ...(comment && { comment }) })}
      submit={t('common:create')}
      onErrors={setErrors}
      size="md"
    >
      <Stack>
        <TextInput
          label={t('pool.newName')}
          description={t('pool.newHelp', { name: poolid })}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={errors.poolid}
          required
          data-autofocus
        />
        <Textarea
          label={t('pool.comment')}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
          error={errors.comment}
          autosize
          maxRows={4}
        />
      </Stack>
    </ChangeDialog>
  )
}
