/** One field of a form: its label, its description and the widget that fits its schema. */
import { Code } from '@mantine/core'
import { memo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Described } from '@/forms/Described'
import { pickerOf } from '@/forms/pickers'
import { type FieldSchema, labelOf, useDescribe } from '@/forms/schema'
import { type FormContext, faultText } from '@/forms/useSchemaForm'
import { type Faults, faultsBelow, type Value } from '@/forms/values'
import { PropertyWidget } from '@/forms/widgets/PropertyWidget'
import {
  ChoiceWidget,
  EncodedWidget,
  FileWidget,
  FlagWidget,
  ListWidget,
  LongTextWidget,
  MomentWidget,
  NumberWidget,
  PickerWidget,
  SecretWidget,
  TextWidget,
  WordsWidget,
} from '@/forms/widgets/simple'
import type { WidgetProps } from '@/forms/widgets/types'

const LONG = /^(description|notes|data|input-data|content|consent-text|certificates|args)$/
const MOMENT = /^(expire|since|until|time)$/
const URLENCODED_TEXTS = /^sshkeys$/

/** The widget for a field. */
function widgetOf(field: FieldSchema, name: string, context: FormContext): (props: WidgetProps) => ReactNode {
  if (field.type === 'file') return FileWidget
  if (field.type === 'array') return WordsWidget
  if (field.secret) return SecretWidget
  if (URLENCODED_TEXTS.test(field.name)) return EncodedWidget
  if (field.list) return ListWidget
  if (field.type === 'boolean') return FlagWidget
  if (field.enum) return ChoiceWidget
  const numeric = field.type === 'integer' || field.type === 'number'
  if (numeric && MOMENT.test(field.name)) return MomentWidget
  if (pickerOf(field, name, context.operation)) return PickerWidget
  if (numeric && !field.format) return NumberWidget
  return LONG.test(field.name) ? LongTextWidget : TextWidget
}

export interface FieldInputProps {
  field: FieldSchema
  /** Its place in the form: `cores`, `net0`, `net0.bridge`. */
  name: string
  /** Its place among `faults`, where that differs. */
  place?: string
  value: Value
  before: Value
  faults: Faults
  context: FormContext
  onChange: (name: string, value: Value) => void
  /** A property string shows its keys at once. */
  open?: boolean
}

/** The label of a parameter, or its name as code. */
export function Label({ name }: { name: string }) {
  return labelOf(name) ?? <Code>{name}</Code>
}

export const FieldInput = memo(function FieldInput(props: FieldInputProps) {
  const { field, name, value, before, context, onChange } = props
  const { t } = useTranslation('forms')
  const describe = useDescribe()
  const place = props.place ?? name
  const fault = props.faults[place]
  const widget: WidgetProps = {
    field,
    name,
    value,
    before,
    onChange: (given) => onChange(name, given),
    context,
    label: <Label name={name.replace(/^.*\./, '')} />,
    description: field.text && (
      <>
        <Described text={describe(field.text)} /> {field.root && t('rootOnly')}
      </>
    ),
    error: fault === undefined ? undefined : faultText(fault),
    below: faultsBelow(props.faults, place),
  }
  if (field.prop) return <PropertyWidget {...widget} schema={field.prop} open={props.open} />
  const Widget = widgetOf(field, name, context)
  return <Widget {...widget} />
})
