import { Avatar, Menu, Text, UnstyledButton, useMantineColorScheme } from '@mantine/core'
import { IconApi, IconKey, IconLogout, IconUser } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { logOut } from '@/api/session'
import { LANGUAGES, type Language, setLanguage } from '@/i18n'
import { show } from '@/shell/surfaces'

/** Everything about who is logged in, and how the page looks to them. */
export function UserMenu({ username }: { username: string }) {
  const { t, i18n } = useTranslation('shell')
  const { t: session } = useTranslation('session')
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const navigate = useNavigate()
  return (
    <Menu position="bottom-end" width={230} shadow="md">
      <Menu.Target>
        <UnstyledButton aria-label={t('user.menu', { username })} style={{ borderRadius: '50%' }}>
          <Avatar size={30} color="corral" variant="filled">
            <IconUser size={18} aria-hidden />
          </Avatar>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Text size="sm" fw={600} px="sm" py={6} truncate role="none">
          {username}
        </Text>
        <Menu.Divider />
        <Menu.Label>{t('user.theme')}</Menu.Label>
        <Menu.RadioGroup value={colorScheme} onChange={(value) => setColorScheme(value as typeof colorScheme)}>
          {(['auto', 'light', 'dark'] as const).map((value) => (
            <Menu.RadioItem key={value} value={value}>
              {session(`themes.${value}`)}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Label>{t('user.language')}</Menu.Label>
        <Menu.RadioGroup value={i18n.language} onChange={(value) => void setLanguage(value as Language)}>
          {Object.entries(LANGUAGES).map(([value, label]) => (
            <Menu.RadioItem key={value} value={value} lang={value}>
              {label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item leftSection={<IconKey size={16} />} onClick={() => show('password')}>
          {t('user.password')}
        </Menu.Item>
        <Menu.Item leftSection={<IconApi size={16} />} onClick={() => void navigate({ to: '/api-explorer' })}>
          {t('explorer')}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void logOut()}>
          {t('logOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
