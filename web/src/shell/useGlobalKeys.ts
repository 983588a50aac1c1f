import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { AREAS } from '@/shell/nav/areas'
import { listenForShortcuts, type Shortcut, useShortcuts } from '@/shell/shortcuts'
import { show, toggle } from '@/shell/surfaces'

/** The keys that hold on every page. */
export function useGlobalKeys(onNav: () => void, mayCreate: boolean): void {
  const { t } = useTranslation('shell')
  const navigate = useNavigate()
  useEffect(listenForShortcuts, [])
  const create: Shortcut = {
    keys: 'c',
    label: t('keys.create'),
    group: 'do',
    run: () => void navigate({ to: '.', search: (before) => ({ ...before, create: 'vm' }) }),
  }
  useShortcuts([
    ...AREAS.map(
      ({ name, to, key }): Shortcut => ({
        keys: `g ${key}`,
        label: t(name),
        group: 'go',
        run: () => void navigate({ to }),
      }),
    ),
    { keys: '/', label: t('keys.search'), group: 'do', run: () => show('search') },
    { keys: 'mod+k', label: t('keys.search'), group: 'do', run: () => toggle('search') },
    ...(mayCreate ? [create] : []),
    { keys: 't', label: t('keys.tasks'), group: 'do', run: () => toggle('tasks') },
    {
      keys: 'e',
      label: t('keys.tree'),
      group: 'go',
      run: () => document.querySelector<HTMLElement>('[role=tree]')?.focus(),
    },
    { keys: '[', label: t('keys.nav'), group: 'do', run: onNav },
    { keys: '?', label: t('keys.shortcuts'), group: 'do', run: () => show('shortcuts') },
  ])
}
