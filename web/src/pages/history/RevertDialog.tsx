import { Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { ChangeDialog } from '@/plan/ChangeDialog'

export interface Reverting {
  revision: string
  /** In this file alone. */
  path?: string
}

/** Take back what a revision did: its plan is shown at once. */
export function RevertDialog({ reverting, onClose }: { reverting: Reverting | null; onClose: () => void }) {
  const { t } = useTranslation('history')
  const { revision = '', path } = reverting ?? {}
  return (
    <ChangeDialog
      opened={reverting !== null}
      onClose={onClose}
      title={t('revertTitle', { revision })}
      operation="POST /cluster/history/revert"
      params={() => ({ revision, ...(path ? { path } : {}) })}
      submit={t('revert')}
      reviewFirst
      summary={
        <Text size="sm" c="dimmed">
          {t('revertText')}
        </Text>
      }
    />
  )
}
