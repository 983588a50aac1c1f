import { useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useEffect } from 'react'
import { useStore } from '@/live/store'
import { surfaces } from '@/shell/surfaces'

const Search = lazy(() => import('@/shell/search/SearchDialog'))
const Shortcuts = lazy(() => import('@/shell/ShortcutsDialog'))
const Password = lazy(() => import('@/shell/PasswordDialog'))
const CreateVm = lazy(() => import('@/pages/guests/create/CreateVm'))

/** The search makes its index while nothing else is to be done. */
function useIndex(): void {
  useEffect(() => {
    const load = () => void import('@/shell/search/index')
    if (!('requestIdleCallback' in window)) return
    const wait = requestIdleCallback(load, { timeout: 8000 })
    return () => cancelIdleCallback(wait)
  }, [])
}

/** What lies over the page, each loaded when it is first opened. */
export function Overlays({ mayCreate }: { mayCreate: boolean }) {
  useIndex()
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
