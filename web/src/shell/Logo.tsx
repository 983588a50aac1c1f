/** The mark and the name. The mark says nothing that the name does not. */
import { Group, Text } from '@mantine/core'

export function Logo({ size = 26, hideName = false }: { size?: number; hideName?: boolean }) {
  return (
    <Group gap={8} wrap="nowrap">
      <img src="/corral.svg" alt={hideName ? 'Corral' : ''} width={size} height={size} />
      {!hideName && (
        <Text fw={700} fz={size * 0.66} lh={1}>
          Corral
        </Text>
      )}
    </Group>
  )
}
