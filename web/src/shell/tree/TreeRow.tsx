import {
  type IconBox,
  IconChevronRight,
  IconDatabase,
  IconDots,
  IconFolder,
  IconHistory,
  IconServer,
  IconStar,
  IconTag,
  IconTemplate,
} from '@tabler/icons-react'
import { useRouter } from '@tanstack/react-router'
import { type MouseEvent, memo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useGuest, useNode, useStorage } from '@/live/inventory'
import { wordOf } from '@/shell/guest'
import { hrefOf, parts, type Ref, targetOf } from '@/shell/refs'
import type { BranchKind, Item } from '@/shell/tree/forest'
import classes from '@/shell/tree/Tree.module.css'
import { StatusDot } from '@/ui/StatusDot'

const ICONS: Record<Exclude<BranchKind, 'guest'>, typeof IconBox> = {
  favourites: IconStar,
  recent: IconHistory,
  node: IconServer,
  storage: IconDatabase,
  pool: IconFolder,
  tag: IconTag,
  rest: IconFolder,
}

export interface TreeRowProps {
  id: string
  item: Item
  index: number
  top: number
  active: boolean
  current: boolean
  onToggle: (index: number) => void
  onMenu: (index: number, x: number, y: number) => void
  onActive: (index: number) => void
}

export const TreeRow = memo(function TreeRow(props: TreeRowProps) {
  const { id, item, index, top, active, current, onToggle, onMenu, onActive } = props
  const { branch, level, expanded } = item
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around it has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus and names its active row
    <div
      id={id}
      role="treeitem"
      aria-level={level}
      aria-posinset={item.at}
      aria-setsize={item.of}
      aria-expanded={expanded}
      aria-selected={current}
      aria-current={current ? 'page' : undefined}
      data-active={active || undefined}
      className={classes.row}
      style={{ transform: `translateY(${top}px)`, paddingLeft: 6 + (level - 1) * 16 }}
      onClick={() => (branch.ref ? onActive(index) : onToggle(index))}
      onContextMenu={(event) => {
        if (!branch.ref) return
        event.preventDefault()
        onMenu(index, event.clientX, event.clientY)
      }}
    >
      <Chevron expanded={expanded} toggle={() => onToggle(index)} />
      {branch.ref ? (
        <RowLink to={branch.ref}>
          <Inside item={item} />
        </RowLink>
      ) : (
        <span className={classes.link}>
          <Inside item={item} />
          <span className={classes.count}>{branch.children?.length}</span>
        </span>
      )}
      {branch.ref && <More label={branch.label} open={(x, y) => onMenu(index, x, y)} />}
    </div>
  )
})

/** A plain link: the router's own costs too much where rows come and go while scrolling. */
function RowLink({ to, children }: { to: Ref; children: ReactNode }) {
  const router = useRouter()
  function go(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    void router.navigate(targetOf(to))
  }
  return (
    <a href={hrefOf(to)} tabIndex={-1} className={classes.link} draggable={false} onClick={go}>
      {children}
    </a>
  )
}

function Chevron({ expanded, toggle }: { expanded?: boolean; toggle: () => void }) {
  if (expanded === undefined) return <span className={classes.chevron} data-leaf />
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the row's arrow keys do the same
    // biome-ignore lint/a11y/useKeyWithClickEvents: the row's arrow keys do the same
    <span
      className={classes.chevron}
      data-expanded={expanded || undefined}
      onClick={(event) => {
        event.stopPropagation()
        toggle()
      }}
    >
      <IconChevronRight size={14} aria-hidden />
    </span>
  )
}

function More({ label, open }: { label: string; open: (x: number, y: number) => void }) {
  const { t } = useTranslation('shell')
  return (
    <button
      type="button"
      className={classes.more}
      tabIndex={-1}
      aria-label={t('tree.actions', { name: label })}
      onClick={(event) => {
        event.stopPropagation()
        const at = event.currentTarget.getBoundingClientRect()
        open(at.left, at.bottom)
      }}
    >
      <IconDots size={16} aria-hidden />
    </button>
  )
}

function Inside({ item: { branch } }: { item: Item }) {
  const [kind, name, more] = parts(branch.ref ?? '')
  if (branch.kind === 'guest') return <GuestInside vmid={Number(name)} />
  const Icon = ICONS[branch.kind]
  return (
    <>
      <Icon size={16} aria-hidden className={classes.icon} />
      <span className={classes.label}>{branch.label}</span>
      {kind === 'node' && <NodeState node={name} />}
      {kind === 'storage' && <StorageState id={`${name}/${more}`} />}
    </>
  )
}

const WORDS = ['running', 'stopped', 'paused', 'unknown'] as const

function GuestInside({ vmid }: { vmid: number }) {
  const { t } = useTranslation(['common', 'guest'])
  const guest = useGuest(vmid)
  const known = guest && WORDS.find((each) => each === wordOf(guest))
  if (!guest) return <span className={classes.label}>{vmid}</span>
  return (
    <>
      {guest.template ? (
        <IconTemplate size={14} aria-label={t('guest:template')} className={classes.icon} />
      ) : (
        <StatusDot
          status={guest.lock ? 'busy' : wordOf(guest)}
          label={guest.lock ?? (known ? t(known) : wordOf(guest))}
          compact
        />
      )}
      <span className={classes.vmid}>{vmid}</span>
      <span className={classes.label}>{guest.name}</span>
    </>
  )
}

function NodeState({ node }: { node: string }) {
  const { t } = useTranslation()
  const row = useNode(node)
  if (!row || row.status === 'online') return null
  return <span className={classes.state}>{row.status === 'offline' ? t('offline') : t('unknown')}</span>
}

function StorageState({ id }: { id: string }) {
  const { t } = useTranslation('shell')
  const row = useStorage(id)
  return row && row.status !== 'available' ? <span className={classes.state}>{t('tree.unavailable')}</span> : null
}
