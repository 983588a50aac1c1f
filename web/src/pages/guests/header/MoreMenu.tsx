import { Alert, Button, Checkbox, Menu, Stack, Text, TextInput } from '@mantine/core'
import { IconCopy, IconDots, IconExternalLink, IconTemplate, IconTrash } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Guest } from '@/live/types'
import { openPopout } from '@/pages/guests/console/popout'
import type { HeaderProps } from '@/pages/guests/header/GuestHeader'
import { ChangeDialog } from '@/plan/ChangeDialog'

export function MoreMenu({ guest, may }: HeaderProps) {
  const { t } = useTranslation(['guest', 'common'])
  const [open, setOpen] = useState<'template' | 'delete' | null>(null)
  const mayAllocate = guest.type === 'qemu' && may('VM.Allocate')
  const running = guest.status !== 'stopped'
  const close = () => setOpen(null)
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <Button variant="default" px={10} aria-label={t('common:more')}>
            <IconDots size={16} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconCopy size={16} />}
            onClick={() => void navigator.clipboard.writeText(String(guest.vmid))}
          >
            {t('copyId')}
          </Menu.Item>
          {!guest.template && may('VM.Console') && (
            <Menu.Item leftSection={<IconExternalLink size={16} />} onClick={() => openPopout(guest)}>
              {t('consoleWindow')}
            </Menu.Item>
          )}
          {mayAllocate && <Menu.Divider />}
          {mayAllocate && !guest.template && (
            <Menu.Item leftSection={<IconTemplate size={16} />} disabled={running} onClick={() => setOpen('template')}>
              {running ? t('toTemplate.stopFirst') : t('toTemplate.do')}
            </Menu.Item>
          )}
          {mayAllocate && (
            <Menu.Item
              leftSection={<IconTrash size={16} />}
              color="var(--corral-bad)"
              disabled={running}
              onClick={() => setOpen('delete')}
            >
              {running ? t('delete.stopFirst') : t('delete.do')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <DeleteDialog guest={guest} opened={open === 'delete'} onClose={close} />
      <TemplateDialog guest={guest} opened={open === 'template'} onClose={close} />
    </>
  )
}

interface DialogProps {
  guest: Guest
  opened: boolean
  onClose: () => void
}

function TemplateDialog({ guest, opened, onClose }: DialogProps) {
  const { t } = useTranslation('guest')
  const { node, vmid } = guest
  return (
    <ChangeDialog
      opened={opened}
      onClose={onClose}
      title={t('toTemplate.title', { name: guest.name })}
      operation="POST /nodes/{node}/qemu/{vmid}/template"
      params={() => ({ node, vmid })}
      submit={t('toTemplate.do')}
      size="md"
    >
      <Text>{t('toTemplate.text')}</Text>
    </ChangeDialog>
  )
}

function DeleteDialog({ guest, opened, onClose }: DialogProps) {
  const { t } = useTranslation('guest')
  const navigate = useNavigate()
  const [typed, setTyped] = useState('')
  const [purge, setPurge] = useState(true)
  const [unreferenced, setUnreferenced] = useState(false)
  const { node, vmid } = guest
  return (
    <ChangeDialog
      opened={opened}
      onClose={() => {
        setTyped('')
        onClose()
      }}
      title={t('delete.title', { name: guest.name })}
      operation="DELETE /nodes/{node}/qemu/{vmid}"
      params={() => {
        if (typed.trim() !== String(vmid)) throw new Error(t('delete.wrong', { vmid }))
        return { node, vmid, purge, 'destroy-unreferenced-disks': unreferenced }
      }}
      submit={t('delete.do')}
      danger
      size="md"
      onDone={() => void navigate({ to: '/guests' })}
    >
      <Stack gap="sm">
        <Alert color="red" variant="light">
          {t('delete.text')}
        </Alert>
        <TextInput
          label={t('delete.type', { vmid })}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          inputMode="numeric"
          autoComplete="off"
          data-autofocus
        />
        <Checkbox
          checked={purge}
          onChange={(event) => setPurge(event.currentTarget.checked)}
          label={t('delete.purge')}
        />
        <Checkbox
          checked={unreferenced}
          onChange={(event) => setUnreferenced(event.currentTarget.checked)}
          label={t('delete.unreferenced')}
        />
      </Stack>
    </ChangeDialog>
  )
}
