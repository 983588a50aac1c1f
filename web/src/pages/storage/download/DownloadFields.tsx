/** Address, name and checksum of a file on the web; its server is asked what it is. */
import { Checkbox, Group, Loader, Select, Stack, Text, TextInput } from '@mantine/core'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError, call } from '@/api/client'
import { type DownloadForm, isAddress, nameInUrl, withName } from '@/pages/storage/download/download'
import { ChecksumFields } from '@/pages/storage/upload/ChecksumFields'
import type { FileContent } from '@/pages/storage/upload/files'
import { explain } from '@/ui/act'
import { bytes } from '@/ui/format'

interface Found {
  size?: number
  mimetype?: string
}

interface Props {
  node: string
  value: DownloadForm
  onChange: (form: DownloadForm) => void
  errors: Readonly<Record<string, string>>
  contents: readonly FileContent[]
}

export function DownloadFields({ node, value, onChange, errors, contents }: Props) {
  const { t } = useTranslation('storage')
  const look = useLook(node, value, onChange)
  const set = (fields: Partial<DownloadForm>) => onChange({ ...value, ...fields })
  return (
    <Stack gap="sm">
      <TextInput
        label={t('address')}
        placeholder="https://"
        type="url"
        required
        value={value.url}
        error={errors.url ?? look.error}
        rightSection={look.busy ? <Loader size="xs" aria-label={t('asking')} /> : null}
        onChange={(event) => set({ url: event.currentTarget.value })}
        onBlur={() => void look.ask()}
      />
      <Text size="sm" c="dimmed" aria-live="polite">
        {look.found
          ? [look.found.size === undefined ? t('sizeUnknown') : bytes(look.found.size), look.found.mimetype]
              .filter(Boolean)
              .join(' · ')
          : t('askHint')}
      </Text>
      <Group grow align="flex-start">
        <TextInput
          label={t('fileName')}
          required
          value={value.filename}
          error={errors.filename}
          onChange={(event) => set({ filename: event.currentTarget.value })}
        />
        <Select
          label={t('content')}
          data={contents.map((each) => ({ value: each, label: t(`contents.${each}`) }))}
          value={value.content}
          error={errors.content}
          allowDeselect={false}
          onChange={(content) => set({ content: content as FileContent })}
        />
      </Group>
      <ChecksumFields value={value} onChange={set} errors={errors} />
      <Group align="flex-end">
        <Select
          label={t('compression')}
          data={[{ value: '', label: t('notCompressed') }, 'gz', 'lzo', 'zst', 'bz2']}
          value={value.compression}
          error={errors.compression}
          allowDeselect={false}
          onChange={(compression) => set({ compression: compression as DownloadForm['compression'] })}
        />
        <Checkbox
          mb={8}
          label={t('verifyCertificates')}
          checked={value.verify}
          onChange={(event) => set({ verify: event.currentTarget.checked })}
        />
      </Group>
    </Stack>
  )
}

/** Ask the server of the address, once per address. */
function useLook(node: string, value: DownloadForm, onChange: (form: DownloadForm) => void) {
  const asked = useRef('')
  const [found, setFound] = useState<Found | null>(null)
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)

  async function ask(): Promise<void> {
    const url = value.url.trim()
    if (url === asked.current || !isAddress(url)) return
    asked.current = url
    setFound(null)
    setError(undefined)
    setBusy(true)
    try {
      const params = { node, url, 'verify-certificates': value.verify ? (1 as const) : (0 as const) }
      const answer = await call('GET /nodes/{node}/query-url-metadata', params)
      setFound(answer)
      onChange(withName({ ...value, url }, answer.filename ?? nameInUrl(url)))
    } catch (caught) {
      // Who may not ask may still download: the name is in the address.
      if (caught instanceof ApiError && caught.status !== 403) setError(explain(caught))
      onChange(withName({ ...value, url }, nameInUrl(url)))
    } finally {
      setBusy(false)
    }
  }
  return { ask, found, error, busy }
}
