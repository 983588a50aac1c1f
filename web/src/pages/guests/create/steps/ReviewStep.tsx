/** All of it once more, and what the node says that it would do. */
import { Alert, Loader, Stack, Switch, Table, Text, Title } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError, type Planned, plan } from '@/api/client'
import { change, useDraft } from '@/pages/guests/create/draft'
import { errors } from '@/pages/guests/create/errors'
import { createParams, mustGrow, withoutSource } from '@/pages/guests/create/params'
import { isPending } from '@/pages/guests/create/pipeline'
import { diskText, sourceText, stepText } from '@/pages/guests/create/summary'
import type { Choices } from '@/pages/guests/create/useChoices'
import { PlanView } from '@/plan/PlanView'
import { explain } from '@/ui/act'

export function ReviewStep({ choices, onPlan }: { choices: Choices; onPlan: (planned: Planned | null) => void }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  return (
    <Stack>
      <Summary choices={choices} />
      <Switch
        label={t('start')}
        checked={draft.start}
        onChange={(event) => change({ start: event.currentTarget.checked })}
      />
      <Switch
        label={t('openConsole')}
        disabled={!draft.start}
        checked={draft.start && draft.console}
        onChange={(event) => change({ console: event.currentTarget.checked })}
      />
      {draft.source.kind !== 'none' && <WhatHappens choices={choices} onPlan={onPlan} />}
    </Stack>
  )
}

function Summary({ choices }: { choices: Choices }) {
  const { t } = useTranslation('wizard')
  const draft = useDraft()
  const rows = [
    [t('steps.source'), sourceText(draft, t)],
    [t('steps.general'), stepText('general', draft, choices, t)],
    [t('steps.size'), stepText('size', draft, choices, t)],
    [t('diskStorage'), choices.facts.diskStorage],
    [t('os'), t(`systems.${draft.os}`)],
    [t('steps.network'), stepText('network', draft, choices, t)],
    ...(draft.cloud ? [[t('steps.cloud'), stepText('cloud', draft, choices, t)]] : []),
  ]
  return (
    <Table variant="vertical" layout="fixed" withTableBorder>
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th w="35%">{name}</Table.Th>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

function usePlan(choices: Choices, onPlan: (planned: Planned | null) => void) {
  const draft = useDraft()
  const pending = isPending(draft)
  const [planned, setPlanned] = useState<Planned | null>(null)
  const [error, setError] = useState<unknown>(null)
  const full = createParams(draft, choices.facts)
  const text = JSON.stringify(pending ? withoutSource(full, draft.disk) : full)
  useEffect(() => {
    let current = true
    setPlanned(null)
    setError(null)
    plan('POST /nodes/{node}/qemu', JSON.parse(text)).then(
      (answer) => {
        if (!current) return
        setPlanned(answer)
        if (!pending) onPlan(answer)
        errors.set({})
      },
      (caught: unknown) => {
        if (!current) return
        setError(caught)
        if (caught instanceof ApiError) errors.set(caught.errors)
      },
    )
    return () => {
      current = false
      onPlan(null)
    }
  }, [text, pending, onPlan])
  return { planned, error, pending, draft }
}

function WhatHappens(props: { choices: Choices; onPlan: (planned: Planned | null) => void }) {
  const { t } = useTranslation('wizard')
  const { planned, error, pending, draft } = usePlan(props.choices, props.onPlan)
  return (
    <Stack gap="xs" component="section">
      <Title order={3}>{t('whatHappens')}</Title>
      {draft.source.kind === 'download' && <Text size="sm">{t('firstDownload', { name: draft.source.filename })}</Text>}
      {pending && draft.source.kind === 'upload' && (
        <Text size="sm">{t('firstUpload', { name: draft.source.filename })}</Text>
      )}
      {error !== null ? (
        <Alert color="red" title={t('planRefused')} style={{ whiteSpace: 'pre-wrap' }}>
          {explain(error)}
        </Alert>
      ) : planned ? (
        <PlanView planned={planned} />
      ) : (
        <Loader size="sm" aria-label={t('planning')} />
      )}
      {mustGrow(draft) && <Text size="sm">{t('thenGrow', { size: diskText(draft, t) })}</Text>}
    </Stack>
  )
}
