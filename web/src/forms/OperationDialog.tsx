/** A dialog for any operation: the form its schema gives, Review, and the deed. */
import type { Operation, Result } from '@/api/client'
import { SchemaFields } from '@/forms/SchemaForm'
import { useDescribe } from '@/forms/schema'
import { type SchemaFormOptions, useSchemaForm } from '@/forms/useSchemaForm'
import { ChangeDialog } from '@/plan/ChangeDialog'

export interface OperationDialogProps<O extends Operation> extends SchemaFormOptions<O> {
  opened: boolean
  onClose: () => void
  /** By default what the operation says of itself. */
  title?: string
  /** What the button says. */
  submit: string
  danger?: boolean
  onDone?: (result: Result<O>) => void
}

export function OperationDialog<O extends Operation>(props: OperationDialogProps<O>) {
  return props.opened ? <Opened {...props} /> : null // one that opens again begins anew
}

function Opened<O extends Operation>({
  opened,
  onClose,
  title,
  submit,
  danger,
  onDone,
  ...options
}: OperationDialogProps<O>) {
  const form = useSchemaForm(options)
  const describe = useDescribe()
  const said = title ?? describe(form.schema?.text.split('\n')[0])
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={said}
      operation={options.operation}
      params={form.params}
      submit={submit}
      danger={danger}
      onErrors={form.setErrors}
      shown={form.landed}
      onDone={onDone}
    >
      <SchemaFields form={form} told />
    </ChangeDialog>
  )
}
