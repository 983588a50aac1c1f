import { NodeShell } from '@/pages/guests/console/Terminal'

export default function ShellTab({ node }: { node: string }) {
  return <NodeShell node={node} />
}
