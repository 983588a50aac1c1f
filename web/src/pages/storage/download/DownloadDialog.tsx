import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { DownloadFields } from '@/pages/storage/download/DownloadFields'
import { downloadParams, EMPTY_DOWNLOAD } from '@/pages/storage/download/download'
import type { FileContent } from '@/pages/storage/upload/files'
import { ChangeDialog } from '@/plan/ChangeDialog'

/** Have the node fetch a file from the web. */
export function DownloadDialog(props: {
  opened: boolean
  onClose: () => void
  node: string
  storage: string
  contents: readonly FileContent[]
}) {
  const { t } = useTranslation('storage')
  const { node, storage, contents } = props
  const [form, setForm] = useState({ ...EMPTY_DOWNLOAD, content: contents[0] ?? EMPTY_DOWNLOAD.content })
  const [errors, setErrors] = useState<Record<string, string>>({})
  return (
    <ChangeDialog
      opened={props.opened}
      onClose={props.onClose}
      title={t('downloadTo', { storage })}
      operation="POST /nodes/{node}/storage/{storage}/download-url"
      params={() => downloadParams(node, storage, form)}
      submit={t('download')}
      onErrors={setErrors}
    >
      <DownloadFields node={node} value={form} onChange={setForm} errors={errors} contents={contents} />
    </ChangeDialog>
  )
}
