import { useTranslation } from 'react-i18next'
import { HistoryView } from '@/pages/history/HistoryView'
import { Page } from '@/ui/Page'

export default function HistoryPage() {
  const { t } = useTranslation('history')
  return (
    <Page title={t('title')} flush>
      <HistoryView />
    </Page>
  )
}
