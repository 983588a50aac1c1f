import { EmptyState } from '@mantine/core'
import { IconDeviceMobile } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'

/** The API has the calls and refuses them: say so, instead of a form that can't work. */
export default function FactorsTab() {
  const { t } = useTranslation(['access', 'common'])
  return (
    <EmptyState
      py="xl"
      icon={<IconDeviceMobile />}
      title={t('factor.title')}
      description={t('factor.text')}
      maw={640}
      mx="auto"
    />
  )
}
