import { Group, Progress, Text } from '@mantine/core'

/** How much of something is used: in words, and as a bar. */
export function Meter({ label, share, text }: { label: string; share: number; text: string }) {
  const part = Math.min(1, Math.max(0, share)) * 100
  return (
    <div>
      <Group justify="space-between" gap="xs" mb={4}>
        <Text size="sm">{label}</Text>
        <Text size="sm" className="numeric">
          {text}
        </Text>
      </Group>
      <Progress.Root size="sm">
        <Progress.Section value={part} color={tone(part)} aria-label={label} />
      </Progress.Root>
    </div>
  )
}

const tone = (part: number): string =>
  part >= 95 ? 'var(--corral-bad)' : part >= 80 ? 'var(--corral-warn)' : 'var(--mantine-primary-color-filled)'
