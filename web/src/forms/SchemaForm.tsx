/** The form of an operation, made from its schema. */
import { ActionIcon, Alert, Anchor, Button, Group, List, Loader, Stack, Text, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus, IconSearch, IconTrash } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError, type Operation, type Params } from '@/api/client'
import { Described } from '@/forms/Described'
import { FieldInput, Label } from '@/forms/FieldInput'
import { type FieldSchema, labelOf, useDescribe } from '@/forms/schema'
import { Incomplete, keyOf, type SchemaFormOptions, type SchemaFormState, useSchemaForm } from '@/forms/useSchemaForm'
import { freeMember, members } from '@/forms/values'
import { explain } from '@/ui/act'

/** The fields of a form made by `useSchemaForm`, for dialogs and pages with buttons of their own. */
export function SchemaFields<O extends Operation>(props: {
  form: SchemaFormState<O>
  /** Whether what surrounds it tells of errors that belong to no field. */
  told?: boolean
}) {
  const { form, told = false } = props
  const { t } = useTranslation(['forms', 'common'])
  const [more, { toggle }] = useDisclosure()
  const frame = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (form.attempts > 0) frame.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [form.attempts])
  if (!form.schema) return <Loader size="sm" aria-label={t('common:loading')} />
  const front = form.fields.filter((field) => form.basic.has(keyOf(field)))
  const rest = form.fields.filter((field) => !form.basic.has(keyOf(field)))
  const hidden = !more && rest.some((field) => faulty(form, field))
  return (
    <Stack gap="md" ref={frame}>
      {!told && Object.keys(form.unplaced).length > 0 && (
        <Alert color="red">
          <List size="sm">
            {Object.entries(form.unplaced).map(([name, text]) => (
              <List.Item key={name}>
                {labelOf(name) ?? name}: {text}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
      {front.map((field) => (
        <OneField key={keyOf(field)} form={form} field={field} />
      ))}
      {form.fields.length === 0 && <Text size="sm">{t('noFields')}</Text>}
      {rest.length > 0 && (
        <Anchor component="button" type="button" size="sm" ta="left" onClick={toggle} aria-expanded={more || hidden}>
          {more ? t('less') : t('more', { count: rest.length })}
        </Anchor>
      )}
      {(more || hidden) && <Rest form={form} fields={rest} />}
    </Stack>
  )
}

const MANY = 15

/** The fields that are not needed at once; where they are many, with a way to find one. */
function Rest<O extends Operation>({ form, fields }: { form: SchemaFormState<O>; fields: readonly FieldSchema[] }) {
  const { t } = useTranslation('forms')
  const describe = useDescribe()
  const [wanted, setWanted] = useState('')
  const fits = (field: FieldSchema) =>
    `${field.name} ${labelOf(field.name) ?? ''} ${describe(field.text)}`.toLowerCase().includes(wanted.toLowerCase())
  return (
    <>
      {fields.length > MANY && (
        <TextInput
          aria-label={t('findOption')}
          placeholder={t('findOption')}
          leftSection={<IconSearch size={16} />}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
      )}
      {fields
        .filter((field) => fits(field) || faulty(form, field))
        .map((field) => (
          <OneField key={keyOf(field)} form={form} field={field} />
        ))}
    </>
  )
}

function faulty<O extends Operation>(form: SchemaFormState<O>, field: FieldSchema): boolean {
  return Object.keys(form.faults).some((place) =>
    field.numbered === undefined
      ? place === field.name || place.startsWith(`${field.name}.`)
      : new RegExp(`^${field.name}\\d+(\\.|$)`).test(place),
  )
}

function OneField<O extends Operation>({ form, field }: { form: SchemaFormState<O>; field: FieldSchema }) {
  if (field.numbered !== undefined) return <Family form={form} field={field} />
  return <Bound form={form} field={field} name={field.name} />
}

function Bound<O extends Operation>(props: {
  form: SchemaFormState<O>
  field: FieldSchema
  name: string
  open?: boolean
}) {
  const { form, field, name } = props
  return (
    <FieldInput
      field={field}
      name={name}
      value={form.values[name] ?? ''}
      before={form.initial[name] ?? ''}
      faults={form.faults}
      context={form.context}
      onChange={form.set}
      open={props.open}
    />
  )
}

/** A numbered family: its members, each of which can be taken away, and a button for one more. */
function Family<O extends Operation>({ form, field }: { form: SchemaFormState<O>; field: FieldSchema }) {
  const { t } = useTranslation('forms')
  const describe = useDescribe()
  const [added, setAdded] = useState<readonly number[]>([])
  const there = members(form.values, field.name)
  const shown = [...new Set([...there, ...added])].sort((a, b) => a - b)
  const gone = members(form.initial, field.name).filter((index) => !shown.includes(index))
  const label = labelOf(field.name) ?? field.name
  const taken = Object.fromEntries(shown.map((index) => [`${field.name}${index}`, 'x']))
  const next = freeMember(taken, field)
  const remove = (index: number) => {
    setAdded(added.filter((each) => each !== index))
    form.set(`${field.name}${index}`, '')
  }
  return (
    <Stack gap="xs">
      {shown.map((index) => {
        const name = `${field.name}${index}`
        return (
          <Group key={name} align="flex-start" wrap="nowrap" gap="xs">
            <div style={{ flex: 1, minWidth: 0 }}>
              <Bound form={form} field={field} name={name} open={added.includes(index)} />
            </div>
            <ActionIcon
              variant="subtle"
              color="red"
              mt={24}
              onClick={() => remove(index)}
              aria-label={t('removeMember', { name: labelOf(name) ?? name })}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        )
      })}
      {gone.map((index) => {
        const name = `${field.name}${index}`
        return (
          <Text key={name} size="sm" c="dimmed">
            <Label name={name} /> {t('willBeRemoved')}{' '}
            <Anchor component="button" type="button" onClick={() => form.set(name, form.initial[name] ?? '')}>
              {t('undo')}
            </Anchor>
          </Text>
        )
      })}
      {next !== undefined && (
        <Group gap="xs">
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPlus size={14} />}
            onClick={() => setAdded([...added, next])}
          >
            {t('addMember', { name: label })}
          </Button>
          {shown.length === 0 && (
            <Text size="xs" c="dimmed">
              <Described text={describe(field.text)} />
            </Text>
          )}
        </Group>
      )}
    </Stack>
  )
}

export interface SchemaFormProps<O extends Operation> extends SchemaFormOptions<O> {
  /** What the button says; by default "Save". */
  submit?: string
  /** Called with the parameters. What it throws is shown: the API's errors at their fields. */
  onSubmit: (params: Params<O>) => Promise<unknown> | unknown
  children?: ReactNode
}

/** A form on a page, with its own button. Dialogs use `OperationDialog`, which can review too. */
export function SchemaForm<O extends Operation>({ submit, onSubmit, children, ...options }: SchemaFormProps<O>) {
  const { t } = useTranslation()
  const form = useSchemaForm(options)
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)

  async function send(): Promise<void> {
    setBusy(true)
    setError(null)
    form.setErrors({})
    try {
      await onSubmit(form.params())
    } catch (caught) {
      setError(caught)
      if (caught instanceof ApiError) form.setErrors(caught.errors)
    } finally {
      setBusy(false)
    }
  }

  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <Stack>
        {error !== null && (
          <Alert color={error instanceof Incomplete ? 'yellow' : 'red'} role="alert" style={{ whiteSpace: 'pre-wrap' }}>
            {error instanceof ApiError ? error.message : explain(error)}
          </Alert>
        )}
        <SchemaFields form={form} />
        {children}
        <Group justify="flex-end">
          <Button type="submit" loading={busy} disabled={!form.schema}>
            {submit ?? t('save')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
