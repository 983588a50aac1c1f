import { getTreeExpandedState, Tree, type TreeNodeData, useTree } from '@mantine/core'
import { IconFile, IconFolder, IconLock } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Result } from '@/api/client'
import { type Branch, treeOf } from '@/pages/history/timeline'
import { recordName } from '@/plan/files'
import classes from './history.module.css'

type File = Result<'GET /cluster/history/at'>['files'][number]

/** The files of a moment; what is gone since is marked. */
export function FileTree({
  files,
  present,
  picked,
  onPick,
}: {
  files: readonly File[]
  present: readonly File[] | undefined
  picked?: string
  onPick: (path: string) => void
}) {
  const { t } = useTranslation('history')
  const byPath = useMemo(() => new Map(files.map((file) => [file.path, file])), [files])
  const there = useMemo(() => (present ? new Set(present.map((file) => file.key)) : undefined), [present])
  const data = useMemo(() => nodesOf(treeOf(files.map((file) => file.path))), [files])
  const tree = useTree({ initialExpandedState: getTreeExpandedState(data, '*') })
  return (
    <Tree
      data={data}
      tree={tree}
      aria-label={t('then.tree')}
      levelOffset={16}
      onKeyDown={(event) => {
        const file = byPath.get((event.target as HTMLElement).dataset.value ?? '')
        if (file && event.key === 'Enter') onPick(file.key)
      }}
      renderNode={({ node, hasChildren, elementProps, expanded }) => {
        const file = byPath.get(node.value)
        const gone = file && there && !there.has(file.key)
        const Icon = hasChildren ? IconFolder : file?.size === undefined ? IconLock : IconFile
        return (
          <div
            {...elementProps}
            className={`${elementProps.className} ${classes.node}`}
            data-picked={(file && (file.key === picked || file.path === picked)) || undefined}
            data-expanded={expanded || undefined}
            {...picks(elementProps.onClick, file && (() => onPick(file.key)))}
          >
            <Icon size={16} aria-hidden />
            <span>{node.label}</span>
            {file && <span className={classes.nodeName}>{nameOf(file)}</span>}
            {gone && <span className={classes.gone}>{t('then.gone')}</span>}
          </div>
        )
      }}
    />
  )
}

type Click = (event: React.MouseEvent) => void

/** The item has the focus and hears the keys; a click on its label picks too. */
const picks = (click: Click, pick: (() => void) | undefined): { onClick: Click } => ({
  onClick: (event) => {
    click(event)
    pick?.()
  },
})

function nameOf(file: File): string {
  const name = recordName(file.key)
  return name === file.key || file.key.startsWith('node/') ? '' : name
}

const nodesOf = (branches: readonly Branch[]): TreeNodeData[] =>
  branches.map(({ path, name, children }) => ({
    value: children ? `${path}/` : path,
    label: name,
    ...(children ? { children: nodesOf(children) } : {}),
  }))
