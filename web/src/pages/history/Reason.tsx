import { Anchor } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useDescribe, useSchemas } from '@/forms/schema'
import { reasonOf } from '@/pages/history/timeline'
import { brief } from '@/plan/brief'

/** By which call or task; `plain`: as text, where a link can't stand. */
export function Reason({ why, plain = false }: { why: string; plain?: boolean }) {
  const { t } = useTranslation('history')
  const describe = useDescribe()
  const schemas = useSchemas()
  const reason = reasonOf(why)
  switch (reason.kind) {
    case 'task': {
      const text = t('task', { type: reason.type })
      if (plain) return <>{text}</>
      return (
        <Anchor component={Link} to={`/tasks/${encodeURIComponent(reason.upid)}`} inherit underline="always">
          {text}
        </Anchor>
      )
    }
    case 'call': {
      const text = describe(schemas?.get(reason.operation)?.text.split('\n')[0])
      return <>{brief(text) || reason.operation}</>
    }
    case 'revert':
      return <>{t('revertOf', { revision: reason.revision })}</>
    case 'other':
      return <>{reason.text}</>
  }
}
