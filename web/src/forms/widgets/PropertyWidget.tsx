import { ActionIcon, Anchor, Collapse, Fieldset, Group, Stack, TextInput, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconAdjustmentsHorizontal } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { FieldInput } from '@/forms/FieldInput'
import { parse, print } from '@/forms/propstring'
import type { FieldSchema, PropSchema } from '@/forms/schema'
import { textOf, type WidgetProps } from '@/forms/widgets/types'

const FEW = 5

/** A property string: its text, which can always be written, and behind a button a field for each of its keys. */
export function PropertyWidget({
  schema,
  open = false,
  ...props
}: WidgetProps & { schema: PropSchema; open?: boolean }) {
  const { t } = useTranslation('forms')
  const [opened, { toggle }] = useDisclosure(open || Object.keys(props.below).length > 0)
  const text = textOf(props.value)
  const shown = opened || Object.keys(props.below).length > 0
  const raw = (
    <TextInput
      label={props.label}
      description={props.description}
      error={props.error ?? (shown ? undefined : Object.values(props.below)[0] && t('wrongInside'))}
      withAsterisk={props.field.required}
      aria-required={props.field.required}
      value={text}
      classNames={{ input: 'mono' }}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      rightSection={
        <Tooltip label={t('editFields')}>
          <ActionIcon variant="subtle" onClick={toggle} aria-label={t('editFields')} aria-expanded={shown}>
            <IconAdjustmentsHorizontal size={16} />
          </ActionIcon>
        </Tooltip>
      }
    />
  )
  return (
    <Stack gap="xs">
      {raw}
      {shown && <Keys {...props} schema={schema} text={text} />}
    </Stack>
  )
}

function Keys({ schema, text, ...props }: WidgetProps & { schema: PropSchema; text: string }) {
  const { t } = useTranslation('forms')
  const { parts } = parse(text, schema)
  const before = parse(textOf(props.before), schema).parts
  // Which keys stand in front is decided once: nothing jumps while somebody types.
  const [front] = useState(() => keysAhead(schema, parts))
  const [more, { toggle }] = useDisclosure(false)
  const hasFault = (field: FieldSchema) => props.below[field.name] !== undefined
  const first = schema.fields.filter((field) => front.has(field.name) || hasFault(field))
  const rest = schema.fields.filter((field) => !first.includes(field))
  const input = (field: FieldSchema) => (
    <FieldInput
      key={field.name}
      field={field}
      name={`${props.name}.${field.name}`}
      value={parts[field.name] ?? ''}
      before={before[field.name] ?? ''}
      faults={props.below}
      place={field.name}
      context={props.context}
      onChange={(value) =>
        props.onChange(print({ ...parts, [field.name]: textOf(value).replaceAll(',', ';') }, schema))
      }
    />
  )
  return (
    <Fieldset variant="filled" p="sm" aria-label={props.name}>
      <Stack gap="sm">
        {first.map(input)}
        {rest.length > 0 && (
          <>
            <Group>
              <Anchor component="button" type="button" size="sm" onClick={toggle} aria-expanded={more}>
                {more ? t('less') : t('moreKeys', { count: rest.length })}
              </Anchor>
            </Group>
            <Collapse expanded={more}>
              <Stack gap="sm">{more && rest.map(input)}</Stack>
            </Collapse>
          </>
        )}
      </Stack>
    </Fieldset>
  )
}

function keysAhead(schema: PropSchema, parts: Readonly<Record<string, string>>): Set<string> {
  if (schema.fields.length <= FEW) return new Set(schema.fields.map(({ name }) => name))
  const common = new Set(['bridge', 'tag', 'firewall', 'size', 'cache', 'discard', 'ssd', 'iothread', 'type'])
  return new Set(
    schema.fields
      .filter(
        (field) => field.required || field.name === schema.defaultKey || parts[field.name] || common.has(field.name),
      )
      .map(({ name }) => name),
  )
}
