import { Button, EmptyState, Skeleton } from '@mantine/core'
import { IconFilterOff, IconPlugConnectedX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { explain } from '@/ui/act'
import classes from './DataTable.module.css'
import type { Empty } from './types'

export function Loading({ height }: { height: number }) {
  const { t } = useTranslation()
  return (
    <div className={classes.state} role="status" aria-label={t('loading')}>
      {['90%', '70%', '80%', '60%', '75%', '65%'].map((width) => (
        <div key={width} className={classes.skeleton} style={{ height }}>
          <Skeleton height={12} width={width} />
        </div>
      ))}
    </div>
  )
}

/** There is nothing of the kind yet. */
export function NothingThere({ empty }: { empty: Empty }) {
  return (
    <div className={classes.state}>
      <EmptyState py="xl" title={empty.title} description={empty.description} icon={empty.icon}>
        {empty.action && <EmptyState.Actions>{empty.action}</EmptyState.Actions>}
      </EmptyState>
    </div>
  )
}

export function NoMatch({ onClear }: { onClear: () => void }) {
  const { t } = useTranslation('lists')
  return (
    <div className={classes.state}>
      <EmptyState py="xl" title={t('noMatch')} description={t('noMatchHint')} icon={<IconFilterOff />}>
        <EmptyState.Actions>
          <Button variant="default" onClick={onClear}>
            {t('clearFilters')}
          </Button>
        </EmptyState.Actions>
      </EmptyState>
    </div>
  )
}

export function Failed({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation()
  const { t: tl } = useTranslation('lists')
  return (
    <div className={classes.state} role="alert">
      <EmptyState py="xl" title={tl('failed')} description={explain(error)} icon={<IconPlugConnectedX />}>
        {onRetry && (
          <EmptyState.Actions>
            <Button variant="default" onClick={onRetry}>
              {t('retry')}
            </Button>
          </EmptyState.Actions>
        )}
      </EmptyState>
    </div>
  )
}
