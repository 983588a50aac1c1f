import { useSearch } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { useStore } from '@/live/store'
import { surfaces } from '@/shell/surfaces'

const Search = lazy(() => import('@/shell/search/SearchDialog'))
const Shortcuts = lazy(() => import('@/shell/ShortcutsDialog'))
const Password = lazy(() => import('@/shell/PasswordDialog'))
const CreateVm = lazy(() => import('@/pages/guests/create/CreateVm'))

/** What lies over the page, each loaded when it is first opened. */
export function Overlays({ mayCreate }: { mayCreate: boolean }) {
  const { open } = useStore(surfaces)
  const search: Record<string, unknown> = useSearch({ strict: false })
  return (
    <Suspense fallback={null}>
      {open === 'search' && <Search />}
      {open === 'shortcuts' && <Shortcuts />}
      {open === 'password' && <Password />}
      {search.create === 'vm' && mayCreate && <CreateVm />}
    </Suspense>
  )
}
