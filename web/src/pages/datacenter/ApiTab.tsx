import { Anchor, Code, List, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { Section } from '@/ui/Section'

/** Where programs find what this page uses. */
export default function ApiTab() {
  const { t } = useTranslation('datacenter')
  const address = `${window.location.origin}/api2/json`
  return (
    <Stack maw={820}>
      <Section title={t('api.title')} help={t('api.text')}>
        <List spacing="sm">
          <List.Item>
            <Anchor component={Link} to="/api-explorer">
              {t('api.explorer')}
            </Anchor>
            <Text size="sm" c="dimmed">
              {t('api.explorerHelp')}
            </Text>
          </List.Item>
          <List.Item>
            <Anchor component={Link} to="/access/$tab" params={{ tab: 'tokens' } as never}>
              {t('api.tokens')}
            </Anchor>
            <Text size="sm" c="dimmed">
              {t('api.tokensHelp')}
            </Text>
          </List.Item>
        </List>
      </Section>
      <Section title={t('api.address')}>
        <Code block>{address}</Code>
        <Text size="sm">{t('api.example')}</Text>
        <Code
          block
          style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
        >{`curl -H 'Authorization: PVEAPIToken=USER@REALM!TOKEN=SECRET' \\\n  ${address}/version`}</Code>
      </Section>
    </Stack>
  )
}
