import { Group, Select, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { algorithmOf } from '@/pages/storage/upload/files'

interface Checksum {
  checksum: string
  algorithm: string
}

/** An expected checksum; its length tells how it was made. */
export function ChecksumFields(props: {
  value: Checksum
  onChange: (fields: Partial<Checksum>) => void
  errors: Readonly<Record<string, string>>
}) {
  const { t } = useTranslation('storage')
  const { value, onChange, errors } = props
  const bad = value.checksum.trim() !== '' && algorithmOf(value.checksum) === undefined
  return (
    <Group align="flex-end">
      <TextInput
        flex="1 1 14rem"
        label={t('checksum')}
        description={t('checksumHint')}
        classNames={{ input: 'mono' }}
        value={value.checksum}
        error={errors.checksum ?? (bad ? t('checksumBad') : undefined)}
        onChange={(event) => {
          const checksum = event.currentTarget.value
          onChange({ checksum, algorithm: algorithmOf(checksum) ?? '' })
        }}
      />
      <Select
        w={110}
        label={t('algorithm')}
        data={['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']}
        value={value.algorithm || null}
        error={errors['checksum-algorithm']}
        onChange={(algorithm) => onChange({ algorithm: algorithm ?? '' })}
      />
    </Group>
  )
}
