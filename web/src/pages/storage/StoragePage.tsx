import { Button } from '@mantine/core'
import { IconDatabase, IconUpload, IconWorldDownload } from '@tabler/icons-react'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { useAllowed } from '@/api/permissions'
import { useApi } from '@/api/query'
import { ContentTab, type Place } from '@/pages/storage/content/ContentTab'
import { keepContentFresh } from '@/pages/storage/content/fresh'
import { contentsOf } from '@/pages/storage/content/volumes'
import { DownloadDialog } from '@/pages/storage/download/DownloadDialog'
import { OptionsTab } from '@/pages/storage/options/OptionsTab'
import { PermissionsTab } from '@/pages/storage/options/PermissionsTab'
import { SummaryTab } from '@/pages/storage/summary/SummaryTab'
import type { FileContent } from '@/pages/storage/upload/files'
import { UploadDialog } from '@/pages/storage/upload/UploadDialog'
import { Answer } from '@/ui/Answer'
import { Page } from '@/ui/Page'
import { type RouteTab, RouteTabs } from '@/ui/RouteTabs'
import { useDialog } from '@/ui/useDialog'

keepContentFresh()

type Status = Result<'GET /nodes/{node}/storage/{storage}/status'>

const FILES: readonly FileContent[] = ['iso', 'import', 'vztmpl']

/** Open the upload where the address asks for it: actions found by the search lead here. */
function useAsked(usable: boolean, open: (value: true) => void): void {
  const search = useSearch({ strict: false }) as Record<string, unknown>
  const navigate = useNavigate()
  const asked = search.upload !== undefined && usable
  useEffect(() => {
    if (!asked) return
    open(true)
    void navigate({
      to: '.',
      search: ({ upload: _, ...rest }: Record<string, unknown>) => rest,
      replace: true,
    })
  }, [asked, open, navigate])
}

/** A storage as one node sees it. */
export default function StoragePage() {
  const { node = '', storage = '', tab } = useParams({ strict: false })
  const place = { node, storage }
  const query = useApi('GET /nodes/{node}/storage/{storage}/status', place)
  const contents = FILES.filter((each) => query.data?.content.split(',').includes(each))
  const may = useAllowed(`/storage/${storage}`, 'Datastore.AllocateTemplate')
  const upload = useDialog<true>()
  const download = useDialog<true>()
  const usable = may && contents.length > 0 && query.data?.active === 1
  useAsked(usable, upload.open)
  return (
    <Page
      title={storage}
      icon={<IconDatabase aria-hidden />}
      flush
      actions={usable && <Actions onUpload={() => upload.open(true)} onDownload={() => download.open(true)} />}
    >
      <Answer query={query} needs="Datastore.Audit">
        {(status) => (
          <Body
            place={place}
            tab={tab}
            status={status}
            onUpload={usable ? () => upload.open(true) : undefined}
            onDownload={usable ? () => download.open(true) : undefined}
          />
        )}
      </Answer>
      <UploadDialog
        key={`u${upload.key}`}
        opened={upload.opened}
        onClose={upload.close}
        {...place}
        contents={contents}
      />
      <DownloadDialog
        key={`d${download.key}`}
        opened={download.opened}
        onClose={download.close}
        {...place}
        contents={contents}
      />
    </Page>
  )
}

function Actions({ onUpload, onDownload }: { onUpload: () => void; onDownload: () => void }) {
  const { t } = useTranslation('storage')
  return (
    <>
      <Button variant="default" leftSection={<IconWorldDownload size={16} aria-hidden />} onClick={onDownload}>
        {t('download')}
      </Button>
      <Button leftSection={<IconUpload size={16} aria-hidden />} onClick={onUpload}>
        {t('upload')}
      </Button>
    </>
  )
}

function Body(props: {
  place: Place
  tab: string | undefined
  status: Status
  onUpload?: () => void
  onDownload?: () => void
}) {
  const { t } = useTranslation('storage')
  const navigate = useNavigate()
  const { place, status, onUpload, onDownload } = props
  const takesFile = (content: string) => (FILES as readonly string[]).includes(content)
  const tabs: RouteTab[] = [
    { id: 'summary', label: t('summary'), panel: () => <SummaryTab place={place} status={status} /> },
    ...contentsOf(status.content).map((content) => ({
      id: content,
      label: t(`contents.${content}`),
      flush: true,
      panel: () => (
        <ContentTab
          key={content}
          {...place}
          content={content}
          {...(takesFile(content) ? { onUpload, onDownload } : {})}
        />
      ),
    })),
    { id: 'options', label: t('options'), panel: () => <OptionsTab storage={place.storage} /> },
    {
      id: 'permissions',
      label: t('permissions'),
      flush: true,
      panel: () => <PermissionsTab storage={place.storage} />,
    },
  ]
  return (
    <RouteTabs
      label={place.storage}
      tabs={tabs}
      current={props.tab}
      onChange={(tab) => void navigate({ to: '/storage/$node/$storage/$tab', params: { ...place, tab } })}
    />
  )
}
