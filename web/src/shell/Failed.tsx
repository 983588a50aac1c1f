/** In place of a page whose program has failed. The frame around it goes on. */
import { Button, Code, Group, Stack, Text, Title } from '@mantine/core'
import type { ErrorComponentProps } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'

export function Failed({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation('shell')
  const { t: common } = useTranslation()
  return (
    <Stack p="xl" maw={640} gap="sm">
      <Title order={1}>{t('failed.title')}</Title>
      <Text>{t('failed.text')}</Text>
      <Group>
        <Button onClick={reset}>{common('retry')}</Button>
        <Button variant="default" onClick={() => window.location.reload()}>
          {t('failed.reload')}
        </Button>
      </Group>
      <Text size="sm" c="dimmed">
        {t('failed.fault')}
      </Text>
      <Code block>{error instanceof Error ? error.message : String(error)}</Code>
    </Stack>
  )
}
