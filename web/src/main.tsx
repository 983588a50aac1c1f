import '@/csp'
import '@mantine/core/styles.layer.css'
import '@mantine/notifications/styles.layer.css'
import '@/app.css'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { queries } from '@/api/query'
import { restoreSession } from '@/api/session'
import { nonce } from '@/csp'
import { startI18n } from '@/i18n'
import { router } from '@/router'
import { fromForeign } from '@/shell/links'
import { theme } from '@/theme'

const root = document.getElementById('root')
const moved = fromForeign(window.location)
if (moved) window.history.replaceState(null, '', moved)

void Promise.all([startI18n(), restoreSession()]).then(() => {
  if (!root) throw new Error('the page has no root')
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
        <QueryClientProvider client={queries}>
          <Notifications position="bottom-right" limit={4} className="toasts" />
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  )
})
