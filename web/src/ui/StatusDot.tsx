import { Box, Group, Text, VisuallyHidden } from '@mantine/core'

const COLORS: Record<string, string> = {
  running: 'ok',
  online: 'ok',
  available: 'ok',
  OK: 'ok',
  paused: 'warn',
  suspended: 'warn',
  prelaunch: 'warn',
  offline: 'bad',
  error: 'bad',
  'io-error': 'bad',
  'internal-error': 'bad',
  busy: 'busy',
}

/** A state in colour and words: colour alone says nothing to many. `compact`: the words are for screen readers only. */
export function StatusDot({ status, label, compact = false }: { status: string; label?: string; compact?: boolean }) {
  const tone = COLORS[status]
  const color = tone ? `var(--corral-${tone})` : 'var(--mantine-color-dimmed)'
  const dot = (
    <Box
      component="span"
      aria-hidden
      w={9}
      h={9}
      style={{
        flex: 'none',
        display: 'inline-block',
        borderRadius: '50%',
        border: `1.5px solid ${color}`,
        background: tone ? color : undefined,
      }}
    />
  )
  return (
    <Group gap={6} wrap="nowrap" component="span">
      {dot}
      {compact ? (
        <VisuallyHidden>{label ?? status}</VisuallyHidden>
      ) : (
        <Text span size="sm">
          {label ?? status}
        </Text>
      )}
    </Group>
  )
}
