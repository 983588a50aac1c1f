import i18next from 'i18next'
import { cancel, isOpen, uploadEnded, uploads, useUploads } from '@/pages/storage/upload/queue'
import { UploadProgress } from '@/pages/storage/upload/UploadProgress'
import { notify } from '@/ui/notify'

function Body({ id }: { id: number }) {
  const upload = useUploads().find((each) => each.id === id)
  return upload ? <UploadProgress upload={upload} onCancel={() => cancel(id)} /> : null
}

/** A toast that stays while the file is on its way, wherever the user goes. */
export function showUpload(id: number): void {
  const upload = uploads.get().find((each) => each.id === id)
  if (!upload || !isOpen(upload)) return
  const toast = {
    id: `upload-${id}`,
    title: i18next.t('storage:uploadTo', { storage: upload.storage }),
    message: <Body id={id} />,
  }
  notify.show({ ...toast, autoClose: false })
  uploadEnded(id).then(
    () => notify.update({ ...toast, color: 'green', autoClose: 4000 }),
    () => notify.update({ ...toast, color: 'red', autoClose: 15000 }),
  )
}
