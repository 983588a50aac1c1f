import type { ReactNode } from 'react'
import type { FieldSchema } from '@/forms/schema'
import type { FormContext } from '@/forms/useSchemaForm'
import type { Faults, Value } from '@/forms/values'

export interface WidgetProps {
  field: FieldSchema
  /** Its place in the form: `cores`, `net0`, `net0.bridge`. */
  name: string
  value: Value
  /** What is set now, before any change. */
  before: Value
  onChange: (value: Value) => void
  label: ReactNode
  description: ReactNode
  error?: string
  /** Faults of its keys, for property strings. */
  below: Faults
  context: FormContext
}

export const textOf = (value: Value): string => (typeof value === 'string' ? value : value.name)
