import { Button, Group, Loader, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import classes from '@/pages/guests/console/Console.module.css'
import type { Phase } from '@/pages/guests/console/useLink'

/** Calm words over a screen that shows nothing now. */
export function Overlay({ title, text, children }: { title: string; text?: ReactNode; children?: ReactNode }) {
  return (
    <div className={classes.over}>
      <div className={classes.card} role="status">
        <Stack gap="sm">
          <Text fw={600}>{title}</Text>
          {text && <Text size="sm">{text}</Text>}
          {children}
        </Stack>
      </div>
    </div>
  )
}

/** What is with the connection, if it isn't open. */
export function LinkOverlay({ phase, retry }: { phase: Phase; retry: () => void }) {
  const { t } = useTranslation(['console', 'common'])
  if (phase.kind === 'open' || phase.kind === 'off') return null
  if (phase.kind === 'connecting') {
    return (
      <Overlay title={t('connecting')}>
        <Loader size="sm" aria-hidden />
      </Overlay>
    )
  }
  return (
    <Overlay title={phase.again ? t('lost') : t('refused')} text={phase.reason || (phase.again && t('lostText'))}>
      <Group>
        <Button size="sm" onClick={retry}>
          {t('reconnect')}
        </Button>
      </Group>
    </Overlay>
  )
}
