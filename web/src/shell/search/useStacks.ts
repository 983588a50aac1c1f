/** Everything that can be found, as it is now and as far as the user may know of it. */
import { useMantineColorScheme } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '@/api/query'
import { logOut, type Session, useSession } from '@/api/session'
import { LANGUAGES, type Language, setLanguage } from '@/i18n'
import { inventory } from '@/live/inventory'
import { useSelected } from '@/live/store'
import { places } from '@/shell/places'
import { type Hit, type Stack, stackOf, thingStacks } from '@/shell/search/finder'
import { guestStack } from '@/shell/search/index'
import { type Surface, show } from '@/shell/surfaces'

const NOBODY: Session['cap'] = {}

function useCap(): Session['cap'] {
  const now = useSession()
  return now.kind === 'open' || now.kind === 'lost' ? now.session.cap : NOBODY
}

/** What can be done from anywhere. */
export function useActions(): { hits: Hit[]; words: string[] } {
  const { t, i18n } = useTranslation('search')
  const cap = useCap()
  const navigate = useNavigate()
  const scheme = useRef(useMantineColorScheme())
  return useMemo(() => {
    const { setColorScheme } = scheme.current
    const hits: Hit[] = []
    const words: string[] = []
    const add = (id: string, title: string, more: string, run: () => void) => {
      hits.push({ id: `action/${id}`, group: 'actions', title, run })
      words.push(more)
    }
    const open = (surface: Surface) => () => show(surface)
    if (cap.vms?.['VM.Allocate'])
      add(
        'create',
        t('actions.createVm'),
        'new add virtual machine guest',
        () => void navigate({ to: '.', search: (before) => ({ ...before, create: 'vm' }) }),
      )
    const iso = inventory.get().storageList.find((each) => each.content.includes('iso'))
    if (iso && cap.storage?.['Datastore.AllocateTemplate'])
      add(
        'upload',
        t('actions.upload'),
        'iso image qcow2 file',
        () =>
          void navigate({
            to: '/storage/$node/$storage/$tab',
            params: { node: iso.node, storage: iso.storage, tab: 'iso' },
            search: { upload: 'iso' },
          }),
      )
    add('tasks', t('actions.tasks'), 'running log jobs', open('tasks'))
    add('light', t('actions.light'), 'theme color scheme', () => setColorScheme('light'))
    add('dark', t('actions.dark'), 'theme color scheme night', () => setColorScheme('dark'))
    add('auto', t('actions.auto'), 'theme color scheme', () => setColorScheme('auto'))
    for (const [language, name] of Object.entries(LANGUAGES))
      if (language !== i18n.language) add(language, name, 'language 语言', () => void setLanguage(language as Language))
    add('password', t('actions.password'), 'my account', open('password'))
    add('shortcuts', t('actions.shortcuts'), 'keys help', open('shortcuts'))
    add('out', t('actions.logOut'), 'sign off exit quit', () => void logOut())
    return { hits, words }
  }, [t, i18n.language, cap, navigate])
}

function usePlaces(): Stack {
  const { i18n } = useTranslation()
  const cap = useCap()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the places' labels are in that language
  return useMemo(() => {
    const mine = places.filter(({ may }) => !may || cap[may[0]]?.[may[1]])
    const hits = mine.map(
      ({ label, area, to }): Hit => ({ id: `place${to}`, group: 'places', title: label(), more: area?.(), to }),
    )
    return stackOf(hits, (_, at) => mine[at]?.words ?? '')
  }, [cap, i18n.language])
}

function useUsers(): Stack {
  const rows = useApi('GET /access/users', {}, { retry: false }).data
  return useMemo(() => {
    const hits = (rows ?? []).map((row): Hit => {
      const name = [row.firstname, row.lastname].filter(Boolean).join(' ')
      const more = [name, row.email, row.comment].filter(Boolean).join(' · ')
      return { id: `user/${row.userid}`, group: 'users', title: row.userid, more, to: '/access/users' }
    })
    return stackOf(hits)
  }, [rows])
}

export function useStacks(actions: ReturnType<typeof useActions>): readonly Stack[] {
  const shape = useSelected(inventory, (all) => all.shape)
  const [found, users] = [usePlaces(), useUsers()]
  // biome-ignore lint/correctness/useExhaustiveDependencies: the shape stands for the inventory
  const things = useMemo(() => [guestStack(), ...thingStacks(inventory.get())], [shape])
  return useMemo(
    () => [stackOf(actions.hits, (_, at) => actions.words[at] ?? ''), ...things, users, found],
    [actions, things, users, found],
  )
}
