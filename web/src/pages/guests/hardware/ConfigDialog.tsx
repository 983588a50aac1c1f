import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Params } from '@/api/client'
import type { Guest } from '@/live/types'
import { ChangeDialog } from '@/plan/ChangeDialog'

type Change = Omit<Params<'POST /nodes/{node}/qemu/{vmid}/config'>, 'node' | 'vmid'>

export interface DialogProps {
  guest: Guest
  onClose: () => void
}

/**
 * Changes a guest's options by a task of its own: volumes take their time, and nobody waits for them. A dialog exists while
 * it is open.
 */
export function ConfigDialog({
  guest,
  title,
  submit,
  change,
  danger,
  size = 'md',
  onClose,
  children,
}: DialogProps & {
  title: string
  submit?: string
  change: () => Change
  danger?: boolean
  size?: string
  children?: ReactNode
}) {
  const { t } = useTranslation()
  const { node, vmid } = guest
  return (
    <ChangeDialog
      opened
      onClose={onClose}
      title={title}
      operation="POST /nodes/{node}/qemu/{vmid}/config"
      params={() => ({ ...change(), node, vmid })}
      submit={submit ?? t('save')}
      danger={danger}
      size={size}
    >
      {children}
    </ChangeDialog>
  )
}
