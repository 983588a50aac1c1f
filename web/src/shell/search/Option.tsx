import {
  IconArrowRight,
  IconBolt,
  IconDatabase,
  IconFolder,
  IconServer,
  IconSettings,
  IconUser,
} from '@tabler/icons-react'
import type { Group, Hit } from '@/shell/search/finder'
import classes from '@/shell/search/Search.module.css'
import { StatusDot } from '@/ui/StatusDot'

const ICONS: Record<Exclude<Group, 'guests'>, typeof IconBolt> = {
  actions: IconBolt,
  nodes: IconServer,
  storage: IconDatabase,
  pools: IconFolder,
  users: IconUser,
  places: IconSettings,
}

interface Props {
  id: string
  hit: Hit
  active: boolean
  onChoose: () => void
  onHover: () => void
}

export function Option({ id, hit, active, onChoose, onHover }: Props) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the focus and the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the field has the focus and names the active option
    <div
      id={id}
      role="option"
      aria-selected={active}
      className={classes.option}
      onClick={onChoose}
      onMouseMove={active ? undefined : onHover}
    >
      <span className={classes.icon}>
        <Icon hit={hit} />
      </span>
      <span className={classes.title}>{hit.title}</span>
      {hit.more && <span className={classes.more}>{hit.more}</span>}
      {active && <IconArrowRight size={16} aria-hidden className={classes.go} />}
    </div>
  )
}

function Icon({ hit }: { hit: Hit }) {
  if (hit.status) return <StatusDot status={hit.status} compact />
  const Shape = hit.group === 'guests' ? IconServer : ICONS[hit.group]
  return <Shape size={16} aria-hidden />
}
