import { Modal } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import classes from './ChangeDialog.module.css'

/** A titled dialog; on a phone it fills the screen. What is inside is made anew each time it opens. */
export function DialogFrame({
  opened,
  onClose,
  title,
  size = 'lg',
  children,
}: {
  opened: boolean
  onClose: () => void
  title: string
  size?: string
  children: ReactNode
}) {
  const { t } = useTranslation()
  const phone = useMediaQuery('(max-width: 36em)')
  return (
    <Modal.Root
      opened={opened}
      onClose={onClose}
      size={size}
      fullScreen={phone === true}
      classNames={{ content: classes.content }}
    >
      <Modal.Overlay />
      <Modal.Content>
        {/* A <header> outside of sections would be the page's banner. */}
        <Modal.Header role="presentation">
          <Modal.Title className={classes.title}>{title}</Modal.Title>
          <Modal.CloseButton aria-label={t('close')} />
        </Modal.Header>
        <Modal.Body className={classes.body}>{opened && children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}
