/** Language and theme, where nobody is logged in yet. */
import { Group, NativeSelect, SegmentedControl, useMantineColorScheme, VisuallyHidden } from '@mantine/core'
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { LANGUAGES, type Language, setLanguage } from '@/i18n'

const THEMES = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon } as const

export function Appearance() {
  const { t, i18n } = useTranslation('session')
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <Group justify="space-between" gap="sm">
      <NativeSelect
        aria-label={t('language')}
        size="xs"
        value={i18n.language}
        onChange={(event) => void setLanguage(event.currentTarget.value as Language)}
        data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
      />
      <SegmentedControl
        aria-label={t('theme')}
        size="xs"
        value={colorScheme}
        onChange={(value) => setColorScheme(value as typeof colorScheme)}
        data={(['auto', 'light', 'dark'] as const).map((value) => {
          const Icon = THEMES[value]
          const label = (
            <span key={value} title={t(`themes.${value}`)} style={{ display: 'flex' }}>
              <Icon size={16} aria-hidden />
              <VisuallyHidden>{t(`themes.${value}`)}</VisuallyHidden>
            </span>
          )
          return { value, label }
        })}
      />
    </Group>
  )
}
