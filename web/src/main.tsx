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
import { theme } from '@/theme'

const root = document.getElementById('root')

void Promise.all([startI18n(), restoreSession()]).then(() => {
  if (!root) throw new Error('the page has no root')
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
        <QueryClientProvider client={queries}>
          <Notifications position="bottom-right" limit={4} />
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  )
})
