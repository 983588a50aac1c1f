import {
  Autocomplete,
  FileInput,
  Group,
  Input,
  MultiSelect,
  NumberInput,
  PasswordInput,
  SegmentedControl,
  Select,
  Switch,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core'
import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import { pickerOf, usePickerOrNone } from '@/forms/pickers'
import { itemsOf } from '@/forms/values'
import { textOf, type WidgetProps } from '@/forms/widgets/types'
import { unitOf } from '@/forms/widgets/units'

/** What all inputs of Mantine's take. */
function frame({ field, label, description, error }: WidgetProps) {
  // `required` would let the browser check, in its own words and before ours.
  return { label, description, error, withAsterisk: field.required, 'aria-required': field.required }
}

function useDefaultHint({ field }: WidgetProps): string | undefined {
  const { t } = useTranslation('forms')
  return field.default === undefined || field.default === '' ? undefined : t('default', { value: field.default })
}

export function TextWidget(props: WidgetProps) {
  const hint = useDefaultHint(props)
  return (
    <TextInput
      {...frame(props)}
      value={textOf(props.value)}
      placeholder={hint}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  )
}

export function LongTextWidget(props: WidgetProps) {
  return (
    <Textarea
      {...frame(props)}
      value={textOf(props.value)}
      autosize
      minRows={3}
      maxRows={16}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  )
}

/** Texts that go over the wire URL-encoded, such as SSH keys, are shown as they are. */
export function EncodedWidget(props: WidgetProps) {
  let shown = textOf(props.value)
  try {
    shown = decodeURIComponent(shown)
  } catch {
    // Half an escape while somebody types: shown as it is.
  }
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
  return (
    <Textarea
      {...frame(props)}
      value={shown}
      autosize
      minRows={2}
      maxRows={12}
      onChange={(event) => props.onChange(encode(event.currentTarget.value))}
    />
  )
}

export function SecretWidget(props: WidgetProps) {
  return (
    <PasswordInput
      {...frame(props)}
      value={textOf(props.value)}
      autoComplete="new-password"
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  )
}

export function NumberWidget(props: WidgetProps) {
  const { field } = props
  const hint = useDefaultHint(props)
  const unit = unitOf(field.name)
  return (
    <NumberInput
      {...frame(props)}
      value={textOf(props.value)}
      placeholder={hint}
      min={field.min}
      max={field.max}
      clampBehavior="none"
      allowDecimal={field.type === 'number'}
      suffix={unit ? ` ${unit}` : undefined}
      onChange={(value) => props.onChange(String(value))}
    />
  )
}

/** Yes, no, or not set where that is a third thing. */
export function FlagWidget(props: WidgetProps) {
  const { field, value, before, onChange } = props
  const { t } = useTranslation(['forms', 'common'])
  const id = useId()
  const known = field.required || field.default !== undefined
  if (known) {
    const standard = Number(field.default ?? 0) === 1
    const on = value === '' ? standard : value === '1'
    return (
      <Switch
        label={props.label}
        description={props.description}
        error={props.error}
        checked={on}
        onChange={(event) => {
          const wanted = event.currentTarget.checked
          onChange(wanted === standard && before === '' && !field.required ? '' : wanted ? '1' : '0')
        }}
      />
    )
  }
  return (
    <Input.Wrapper
      label={props.label}
      description={props.description}
      error={props.error}
      labelElement="div"
      labelProps={{ id }}
    >
      <SegmentedControl
        aria-labelledby={id}
        size="xs"
        mt={4}
        value={textOf(value)}
        onChange={onChange}
        data={[
          { value: '', label: t('unset') },
          { value: '1', label: t('common:yes') },
          { value: '0', label: t('common:no') },
        ]}
      />
    </Input.Wrapper>
  )
}

export function ChoiceWidget(props: WidgetProps) {
  const { field } = props
  const hint = useDefaultHint(props)
  const { t } = useTranslation('forms')
  const known = field.enum ?? []
  const value = textOf(props.value)
  return (
    <Select
      {...frame(props)}
      // A value that this version does not know stays what it is until another is chosen.
      data={value === '' || known.includes(value) ? known : [...known, value]}
      value={value === '' ? null : value}
      placeholder={hint ?? t(field.required ? 'choose' : 'unset')}
      searchable={known.length > 8}
      openOnFocus={false}
      clearable={!field.required}
      clearButtonProps={{ 'aria-label': t('clear') }}
      onChange={(chosen) => props.onChange(chosen ?? '')}
    />
  )
}

export function ListWidget(props: WidgetProps) {
  const { field, onChange, context, name } = props
  const { t } = useTranslation('forms')
  const usePicker = usePickerOrNone(pickerOf(field, name, context.operation))
  const choices = usePicker(context)
  const items = itemsOf(field, textOf(props.value))
  const separator = items.length > 0 && textOf(props.value).includes(';') ? ';' : ','
  const take = (words: string[]) => onChange(words.join(separator))
  const clear = { 'aria-label': t('clear') }
  if (field.list?.enum) {
    return (
      <MultiSelect
        {...frame(props)}
        data={[...new Set([...field.list.enum, ...items])]}
        value={items}
        onChange={take}
        searchable
        openOnFocus={false}
        clearable
        clearButtonProps={clear}
      />
    )
  }
  return (
    <TagsInput
      {...frame(props)}
      data={choices.map(({ value }) => value)}
      renderOption={({ option }) => <Suggestion choice={choices.find(({ value }) => value === option.value)} />}
      value={items}
      onChange={take}
      splitChars={[',', ';', ' ']}
      clearable
      clearButtonProps={clear}
      limit={100}
      openOnFocus={false}
    />
  )
}

/** Words of a command: one a line, for they may hold blanks and commas. */
export function WordsWidget(props: WidgetProps) {
  const { t } = useTranslation('forms')
  return (
    <LongTextWidget
      {...props}
      description={
        <>
          {props.description} {t('onePerLine')}
        </>
      }
    />
  )
}

function Suggestion({ choice }: { choice: { value: string; hint?: string } | undefined }) {
  return (
    <Group justify="space-between" wrap="nowrap" gap="md" flex={1}>
      <Text span size="sm">
        {choice?.value}
      </Text>
      {choice?.hint && (
        <Text span size="xs" c="dimmed" truncate>
          {choice.hint}
        </Text>
      )}
    </Group>
  )
}

export function PickerWidget(props: WidgetProps) {
  const { field, context, name } = props
  const hint = useDefaultHint(props)
  const usePicker = usePickerOrNone(pickerOf(field, name, context.operation))
  const choices = usePicker(context)
  return (
    <Autocomplete
      {...frame(props)}
      data={[...new Set(choices.map(({ value }) => value))]}
      renderOption={({ option }) => <Suggestion choice={choices.find(({ value }) => value === option.value)} />}
      // What is chosen already must not hide the other choices.
      filter={({ options, search }) => {
        const wanted = search.trim().toLowerCase()
        if (choices.some(({ value }) => value.toLowerCase() === wanted)) return options
        const fits = ({ value, hint: more }: { value: string; hint?: string }) =>
          value.toLowerCase().includes(wanted) || more?.toLowerCase().includes(wanted)
        const kept = new Set(choices.filter(fits).map(({ value }) => value))
        return options.filter((option) => 'value' in option && kept.has(option.value))
      }}
      limit={200}
      openOnFocus={false}
      placeholder={hint}
      value={textOf(props.value)}
      onChange={props.onChange}
    />
  )
}

/** Seconds since 1970, as a date and time of the browser's zone; 0 is never. */
export function MomentWidget(props: WidgetProps) {
  const { t } = useTranslation('forms')
  const seconds = Number(textOf(props.value) || 0)
  const local = seconds > 0 ? new Date((seconds - new Date(seconds * 1000).getTimezoneOffset() * 60) * 1000) : undefined
  return (
    <TextInput
      {...frame(props)}
      type="datetime-local"
      description={
        <>
          {props.description} {t('emptyIsNever')}
        </>
      }
      value={local ? local.toISOString().slice(0, 16) : ''}
      onChange={(event) => {
        const chosen = event.currentTarget.value
        props.onChange(chosen ? String(Math.floor(new Date(chosen).getTime() / 1000)) : props.before === '' ? '' : '0')
      }}
    />
  )
}

export function FileWidget(props: WidgetProps) {
  const { t } = useTranslation('forms')
  return (
    <FileInput
      {...frame(props)}
      value={props.value instanceof File ? props.value : null}
      placeholder={t('chooseFile')}
      onChange={(file) => props.onChange(file ?? '')}
      clearable
      clearButtonProps={{ 'aria-label': t('clear') }}
    />
  )
}
