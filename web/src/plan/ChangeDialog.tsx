/**
 * The frame of every dialog that changes something: its form, and below it Cancel, Review and the deed. Review asks the
 * API what the call would do and shows it; what was reviewed is applied exactly so.
 */
import { Alert, Button, Group, Modal, Stack } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError, call, type Operation, type Params, type Planned, plan, type Result } from '@/api/client'
import { PlanView } from '@/plan/PlanView'
import { explain, followTask, isUpid } from '@/ui/act'

export interface ChangeDialogProps<O extends Operation> {
  opened: boolean
  onClose: () => void
  title: string
  operation: O
  /** The call's parameters as the form has them now; a function may throw to say that the form isn't complete. */
  params: () => Params<O>
  /** What the button says: `Create`, `Remove`. */
  submit: string
  danger?: boolean
  size?: string
  /** Errors by parameter, for the form's fields. What no field shows must be shown: the dialog lists all of them too. */
  onErrors?: (errors: Record<string, string>) => void
  onDone?: (result: Result<O>) => void
  children?: ReactNode
}

export function ChangeDialog<O extends Operation>(props: ChangeDialogProps<O>) {
  const { t } = useTranslation()
  const [planned, setPlanned] = useState<Planned | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)

  function close(): void {
    setPlanned(null)
    setError(null)
    props.onClose()
  }

  async function attempt(step: () => Promise<void>): Promise<void> {
    setBusy(true)
    setError(null)
    props.onErrors?.({})
    try {
      await step()
    } catch (caught) {
      setPlanned(null)
      setError(caught)
      if (caught instanceof ApiError) props.onErrors?.(caught.errors)
    } finally {
      setBusy(false)
    }
  }

  const review = () => attempt(async () => setPlanned(await plan(props.operation, props.params())))
  const apply = () =>
    attempt(async () => {
      const result = await call(props.operation, props.params(), {
        apply: planned?.token,
        idempotencyKey: crypto.randomUUID(),
      })
      if (isUpid(result)) followTask(props.title, result)
      props.onDone?.(result)
      close()
    })

  return (
    <Modal
      opened={props.opened}
      onClose={close}
      title={props.title}
      size={props.size ?? 'lg'}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void apply()
        }}
      >
        <Stack>
          {error !== null && (
            <Alert color="red" title={t('failed')} style={{ whiteSpace: 'pre-wrap' }}>
              {explain(error)}
            </Alert>
          )}
          <div hidden={planned !== null}>{props.children}</div>
          {planned && <PlanView planned={planned} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={planned ? () => setPlanned(null) : close}>
              {planned ? t('edit') : t('cancel')}
            </Button>
            {!planned && (
              <Button variant="light" onClick={() => void review()} loading={busy}>
                {t('review')}
              </Button>
            )}
            <Button type="submit" color={props.danger ? 'red' : undefined} loading={busy}>
              {planned ? t('apply') : props.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
