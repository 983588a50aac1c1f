import { Code } from '@mantine/core'

/** A description as the declarations write it: what stands between backticks is code. */
export function Described({ text }: { text: string }) {
  return text.split('`').map((part, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text don't move
    index % 2 === 1 ? <Code key={index}>{part}</Code> : part,
  )
}
