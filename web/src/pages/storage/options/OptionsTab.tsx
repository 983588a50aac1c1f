import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useTranslation } from 'react-i18next'
import { useAllowed } from '@/api/permissions'
import { refresh, useApi } from '@/api/query'
import { OperationDialog } from '@/forms/OperationDialog'
import { Answer } from '@/ui/Answer'
import { Facts, Section } from '@/ui/Section'

const HIDDEN = new Set(['digest', 'storage', 'type'])

/** What is configured, and the way to change it. */
export function OptionsTab({ storage }: { storage: string }) {
  const { t } = useTranslation(['storage', 'common'])
  const query = useApi('GET /storage/{storage}', { storage })
  const may = useAllowed('/storage', 'Datastore.Allocate')
  const [opened, { open, close }] = useDisclosure()
  return (
    <Answer query={query} needs="Datastore.Allocate">
      {(config) => (
        <Section
          title={t('options')}
          help={t('optionsHint')}
          actions={
            may && (
              <Button variant="default" onClick={open}>
                {t('common:edit')}
              </Button>
            )
          }
        >
          <Facts
            facts={Object.entries(config)
              .filter(([name]) => !HIDDEN.has(name))
              .map(([name, value]) => [name, String(value)] as const)}
          />
          <OperationDialog
            opened={opened}
            onClose={close}
            title={t('editOptions', { storage })}
            operation="PUT /storage/{storage}"
            fixed={{ storage, digest: config.digest }}
            values={config}
            submit={t('common:save')}
            onDone={() => void refresh('GET /storage/{storage}')}
          />
        </Section>
      )}
    </Answer>
  )
}
