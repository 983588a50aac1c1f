/** What a download needs to be told. */
import type { Params } from '@/api/client'
import { algorithmOf, type FileContent, fits, recognise } from '@/pages/storage/upload/files'

export interface DownloadForm {
  url: string
  filename: string
  content: FileContent
  checksum: string
  algorithm: string
  compression: '' | 'gz' | 'lzo' | 'zst' | 'bz2'
  verify: boolean
}

export const EMPTY_DOWNLOAD: DownloadForm = {
  url: '',
  filename: '',
  content: 'iso',
  checksum: '',
  algorithm: '',
  compression: '',
  verify: true,
}

const ENDINGS: Record<string, DownloadForm['compression']> = { gz: 'gz', lzo: 'lzo', zst: 'zst', bz2: 'bz2' }

/** The form with what a name tells: content, and how it is compressed. Templates of containers stay as they are. */
export function withName(form: DownloadForm, name: string): DownloadForm {
  const found = recognise(name)
  if (found) return { ...form, ...found, compression: '' }
  const [, stem, ending] = /^(.+)\.(gz|lzo|zst|bz2)$/i.exec(name) ?? []
  const inner = stem ? recognise(stem) : undefined
  if (inner && ending) return { ...form, ...inner, compression: ENDINGS[ending.toLowerCase()] ?? '' }
  return { ...form, filename: name }
}

/** The last part of an address: what the file is called unless its server says otherwise. */
export function nameInUrl(url: string): string {
  try {
    return decodeURIComponent(new URL(url).pathname.split('/').pop() ?? '')
  } catch {
    return ''
  }
}

export const isAddress = (url: string): boolean => /^https?:\/\/[^\s/]+\/\S*$/.test(url.trim())

export const isComplete = (form: DownloadForm): boolean => isAddress(form.url) && fits(form.content, form.filename)

type DownloadParams = Params<'POST /nodes/{node}/storage/{storage}/download-url'>

export function downloadParams(node: string, storage: string, form: DownloadForm): DownloadParams {
  const checksum = form.checksum.trim()
  const algorithm = (form.algorithm || algorithmOf(checksum)) as DownloadParams['checksum-algorithm']
  return {
    node,
    storage,
    content: form.content,
    filename: form.filename,
    url: form.url.trim(),
    ...(checksum && algorithm ? { checksum, 'checksum-algorithm': algorithm } : {}),
    ...(form.compression ? { compression: form.compression } : {}),
    ...(form.verify ? {} : { 'verify-certificates': 0 as const }),
  }
}
