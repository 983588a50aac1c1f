import { Code, List, Stack, Text } from '@mantine/core'
import type { Planned } from '@/api/client'

/** What a call would do. */
export function PlanView({ planned }: { planned: Planned }) {
  const { writes, effects, warnings } = planned.plan
  return (
    <Stack>
      {writes.map((write) => (
        <div key={write.key}>
          <Text fw={600}>{write.key}</Text>
          <Code block>{write.diff ?? write.action}</Code>
        </div>
      ))}
      <List>
        {[...effects, ...warnings].map((line) => (
          <List.Item key={line}>{line}</List.Item>
        ))}
      </List>
    </Stack>
  )
}
