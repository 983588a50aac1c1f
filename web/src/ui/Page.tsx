import { Box, Group, Stack, Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'

/** A page's frame: its title (also the window's), what stands beside it, and its body. */
export function Page({
  title,
  icon,
  actions,
  children,
  flush = false,
}: {
  title: string
  icon?: ReactNode
  actions?: ReactNode
  children: ReactNode
  /** The body fills the page to its edges and scrolls itself (lists, consoles). */
  flush?: boolean
}) {
  useEffect(() => {
    document.title = `${title} · Corral`
  }, [title])
  return (
    <Stack gap={0} h="100%" mih={0}>
      <Group justify="space-between" px="md" py="sm" gap="sm" wrap="wrap">
        <Group gap="sm" wrap="nowrap" miw={0}>
          {icon}
          <Title order={1} style={{ overflowWrap: 'anywhere' }}>
            {title}
          </Title>
        </Group>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      <Box flex={1} mih={0} px={flush ? 0 : 'md'} pb={flush ? 0 : 'md'} style={{ overflow: flush ? 'hidden' : 'auto' }}>
        {children}
      </Box>
    </Stack>
  )
}
