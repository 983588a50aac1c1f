/** The ticket has ended: who was here logs in again over the page, which keeps all that was typed. */
import { Anchor, Modal, Stack, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { logOut, useSession } from '@/api/session'
import { LoginForm } from '@/shell/login/LoginForm'

export function LogInAgain() {
  const { t } = useTranslation('session')
  const session = useSession()
  const lost = session.kind === 'lost'
  return (
    <Modal
      opened={lost}
      onClose={() => undefined}
      title={t('again.title')}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      size="sm"
      centered
      zIndex={1000}
    >
      {lost && (
        <Stack>
          <Text size="sm">{t('again.text')}</Text>
          <LoginForm who={session.session.username} />
          <Anchor component="button" type="button" size="sm" onClick={() => void logOut()}>
            {t('again.other')}
          </Anchor>
        </Stack>
      )}
    </Modal>
  )
}
