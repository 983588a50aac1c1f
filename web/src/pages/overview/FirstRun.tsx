/** For a node on which nothing runs yet: the three steps to the first machine. */
import { Button, Group, Stack, Text, Title } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useStorages } from '@/live/inventory'
import styles from '@/pages/overview/Overview.module.css'

export function FirstRun() {
  const { t } = useTranslation('overview')
  const navigate = useNavigate()
  const store = useStorages().find(({ content }) => content.includes('import') || content.includes('iso'))
  return (
    <section className={styles.first} aria-label={t('first.title')}>
      <Stack>
        <div>
          <Title order={2}>{t('first.title')}</Title>
          <Text c="dimmed">{t('first.hint')}</Text>
        </div>
        <ol className={styles.steps}>
          <Step number={1} title={t('first.image')} text={t('first.imageHint')}>
            {store && (
              <Button
                variant="default"
                size="xs"
                renderRoot={(props) => (
                  <Link
                    to="/storage/$node/$storage/$tab"
                    params={{ node: store.node, storage: store.storage, tab: 'import' }}
                    {...props}
                  />
                )}
              >
                {t('first.imageButton')}
              </Button>
            )}
          </Step>
          <Step number={2} title={t('first.create')} text={t('first.createHint')}>
            <Button onClick={() => void navigate({ to: '.', search: (all) => ({ ...all, create: 'vm' }) })}>
              {t('createVm')}
            </Button>
          </Step>
          <Step number={3} title={t('first.console')} text={t('first.consoleHint')} />
        </ol>
      </Stack>
    </section>
  )
}

function Step(props: { number: number; title: string; text: string; children?: ReactNode }) {
  return (
    <li>
      <Group gap="sm" align="flex-start" wrap="nowrap">
        <span className={styles.number} aria-hidden>
          {props.number}
        </span>
        <Stack gap="xs" align="flex-start">
          <Text fw={600}>{props.title}</Text>
          <Text size="sm">{props.text}</Text>
          {props.children}
        </Stack>
      </Group>
    </li>
  )
}
