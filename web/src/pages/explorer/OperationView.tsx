import { Alert, Badge, Button, Code, Group, List, ScrollArea, Stack, Table, Text, Title } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { call, type Operation, type Params } from '@/api/client'
import { Described } from '@/forms/Described'
import { OperationDialog } from '@/forms/OperationDialog'
import { type Permission, permissionOf } from '@/forms/permissions'
import { SchemaForm } from '@/forms/SchemaForm'
import { type FieldSchema, labelOf, type OperationSchema, useDescribe } from '@/forms/schema'
import { keyOf } from '@/forms/useSchemaForm'
import { useNodes } from '@/live/inventory'

const TONES: Record<string, string> = { GET: 'busy', POST: 'ok', PUT: 'warn', DELETE: 'bad' }

export function Method({ method }: { method: string }) {
  const color = `var(--corral-${TONES[method]})`
  return (
    <Badge variant="outline" size="sm" radius="sm" w={64} style={{ flex: 'none', color, borderColor: color }}>
      {method}
    </Badge>
  )
}

/** One operation: what it takes, answers and needs, and a way to run it. */
export function OperationView({ schema }: { schema: OperationSchema }) {
  const { t } = useTranslation('forms')
  const describe = useDescribe()
  return (
    <Stack gap="lg">
      <Group gap="sm" wrap="wrap">
        <Method method={schema.method} />
        <Title order={2} className="mono" style={{ overflowWrap: 'anywhere' }}>
          {schema.path}
        </Title>
        {schema.task && <Badge variant="outline">{t('explorer.task')}</Badge>}
      </Group>
      <Text style={{ whiteSpace: 'pre-line' }}>
        <Described text={describe(schema.text)} />
      </Text>
      {schema.never && <Text size="sm">{t('explorer.never', { why: describe(schema.never) })}</Text>}
      <Runner key={schema.name} schema={schema} />
      {schema.fields.length > 0 && (
        <Stack gap="xs">
          <Title order={3}>{t('explorer.parameters')}</Title>
          <Parameters fields={schema.fields} />
        </Stack>
      )}
      <Stack gap="xs">
        <Title order={3}>{t('explorer.result')}</Title>
        <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {schema.result}
        </Code>
      </Stack>
      <Stack gap="xs">
        <Title order={3}>{t('explorer.permissions')}</Title>
        <PermissionView permission={permissionOf(schema.permissions)} />
      </Stack>
    </Stack>
  )
}

function Runner({ schema }: { schema: OperationSchema }) {
  const { t } = useTranslation('forms')
  const nodes = useNodes()
  const prefill = nodes.length === 1 ? { node: nodes[0]?.node } : undefined
  const [opened, setOpened] = useState(false)
  const [answer, setAnswer] = useState<{ text: string; ms: number } | null>(null)
  if (schema.stream) return <Alert color="gray">{t('explorer.stream')}</Alert>

  async function run(params: Params<Operation>): Promise<void> {
    const began = performance.now()
    setAnswer(null)
    const data = await call(schema.name, params)
    setAnswer({ text: JSON.stringify(data, null, 2), ms: Math.round(performance.now() - began) })
  }

  return (
    <Stack gap="md">
      {schema.method === 'GET' ? (
        <SchemaForm operation={schema.name} prefill={prefill} submit={t('explorer.run')} onSubmit={run} />
      ) : (
        <Group>
          <Button onClick={() => setOpened(true)} color={schema.method === 'DELETE' ? 'red' : undefined}>
            {t('explorer.open')}
          </Button>
        </Group>
      )}
      <OperationDialog
        operation={schema.name}
        prefill={prefill}
        opened={opened}
        onClose={() => setOpened(false)}
        submit={t('explorer.call')}
        danger={schema.method === 'DELETE'}
        onDone={(result) => setAnswer({ text: JSON.stringify(result ?? null, null, 2), ms: 0 })}
      />
      {answer && (
        <Stack gap={4}>
          <Text size="sm" c="dimmed" role="status">
            {t('explorer.answer')} {answer.ms > 0 && t('explorer.took', { ms: answer.ms })}
          </Text>
          <ScrollArea.Autosize mah={480} viewportProps={{ tabIndex: 0, 'aria-label': t('explorer.answer') }}>
            <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
              {answer.text}
            </Code>
          </ScrollArea.Autosize>
        </Stack>
      )}
    </Stack>
  )
}

function Parameters({ fields }: { fields: readonly FieldSchema[] }) {
  const { t } = useTranslation('forms')
  const describe = useDescribe()
  return (
    <Table.ScrollContainer
      minWidth={480}
      scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': t('explorer.parameters') } }}
    >
      <Table verticalSpacing="xs" layout="auto">
        <Table.Tbody>
          {fields.map((field) => (
            <Table.Tr key={keyOf(field)}>
              <Table.Td style={{ verticalAlign: 'top' }}>
                <Code>{field.numbered === undefined ? field.name : `${field.name}[0…${field.numbered}]`}</Code>
                <Text size="xs" c="dimmed">
                  {labelOf(field.name)}
                </Text>
              </Table.Td>
              <Table.Td style={{ verticalAlign: 'top' }}>
                <Text size="sm">{field.format ?? field.type}</Text>
                {field.required && <Text size="xs">{t('explorer.required')}</Text>}
                {field.default !== undefined && (
                  <Text size="xs" c="dimmed">
                    {t('default', { value: field.default })}
                  </Text>
                )}
              </Table.Td>
              <Table.Td style={{ verticalAlign: 'top' }}>
                <Text size="sm">
                  <Described text={describe(field.text)} />
                </Text>
                {field.enum && (
                  <Text size="xs" c="dimmed" className="mono">
                    {field.enum.join(' · ')}
                  </Text>
                )}
                {field.prop && (
                  <Text size="xs" c="dimmed" className="mono">
                    {field.prop.fields.map(({ name }) => name).join(', ')}
                  </Text>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function PermissionView({ permission }: { permission: Permission }) {
  const { t } = useTranslation('forms')
  const describe = useDescribe()
  switch (permission.kind) {
    case 'allOf':
    case 'anyOf':
      return (
        <div>
          <Text size="sm">{t(`explorer.${permission.kind}`)}</Text>
          <List size="sm" withPadding>
            {permission.parts.map((part, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a declaration don't move
              <List.Item key={index}>
                <PermissionView permission={part} />
              </List.Item>
            ))}
          </List>
        </div>
      )
    case 'privileges': {
      const words = { privileges: permission.privileges.join(', '), path: permission.path }
      const several = permission.any && permission.privileges.length > 1
      return <Text size="sm">{several ? t('explorer.anyPrivilege', words) : t('explorer.on', words)}</Text>
    }
    case 'self':
      return <Text size="sm">{t('explorer.self')}</Text>
    case 'other':
      return <Code>{permission.text}</Code>
    default:
      return (
        <Text size="sm">
          {t(`explorer.${permission.kind}`)}
          {permission.why && ` (${describe(permission.why)})`}
        </Text>
      )
  }
}
