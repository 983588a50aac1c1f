/** The tree with its views and its filter; how it was left is remembered. */
import { ActionIcon, CloseButton, Group, Menu, Text, TextInput, Tooltip } from '@mantine/core'
import { IconBinaryTree2, IconDatabase, IconFilter, IconFolder, IconServer, IconTag } from '@tabler/icons-react'
import { useLocation } from '@tanstack/react-router'
import { useCallback, useDeferredValue, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { keep, kept, useKept } from '@/api/kept'
import { inventory } from '@/live/inventory'
import { useSelected } from '@/live/store'
import { refOfPath } from '@/shell/refs'
import { useFavourites, useRecent } from '@/shell/remembered'
import { type Branch, filtered, flatten, forest, type Item, VIEWS, type View } from '@/shell/tree/forest'
import { Tree } from '@/shell/tree/Tree'
import classes from '@/shell/tree/Tree.module.css'

const ICONS = { server: IconServer, pools: IconFolder, tags: IconTag, storage: IconDatabase }
const OPENED = 'corral.tree.opened'
const NOTHING: Record<string, boolean> = {}

/** What nobody has opened or closed yet: few branches are open, many are not. */
const atFirst = (branch: Branch, level: number, few: boolean): boolean =>
  branch.kind !== 'recent' && (branch.kind === 'favourites' || (level === 1 && few))

function useItems(view: View, filter: string): Item[] {
  const { t } = useTranslation('shell')
  const shape = useSelected(inventory, (all) => all.shape)
  const [opened] = useKept(OPENED, NOTHING)
  const [favourites, recent] = [useFavourites(), useRecent()]
  // biome-ignore lint/correctness/useExhaustiveDependencies: the shape stands for the inventory; a status makes no new tree
  const branches = useMemo(() => {
    const words = {
      favourites: t('tree.favourites'),
      recent: t('tree.recent'),
      noPool: t('tree.noPool'),
      noTags: t('tree.noTags'),
    }
    return forest(inventory.get(), view, words, favourites, recent)
  }, [shape, view, favourites, recent, t])
  const left = useMemo(() => filtered(branches, filter), [branches, filter])
  return useMemo(() => {
    const few = branches.length <= 5
    const all = filter.trim() !== ''
    return flatten(left, (branch, level) => all || (opened[branch.id] ?? atFirst(branch, level, few)))
  }, [left, branches, filter, opened])
}

export function TreePanel() {
  const { t } = useTranslation('shell')
  const [view, setView] = useKept<View>('corral.tree.view', 'server')
  const [filter, setFilter] = useState('')
  const items = useItems(view, useDeferredValue(filter))
  const current = refOfPath(useLocation({ select: (location) => location.pathname }))
  const toggle = useCallback((item: Item) => {
    keep(OPENED, { ...kept(OPENED, NOTHING), [item.branch.id]: !item.expanded })
  }, [])
  return (
    <div className={classes.panel}>
      <Group gap={4} wrap="nowrap" mb={6}>
        <TextInput
          flex={1}
          size="xs"
          leftSection={<IconFilter size={14} aria-hidden />}
          rightSection={filter && <CloseButton size="xs" aria-label={t('tree.clear')} onClick={() => setFilter('')} />}
          placeholder={t('tree.filter')}
          aria-label={t('tree.filter')}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setFilter('')
          }}
        />
        <ViewMenu view={view} setView={setView} />
      </Group>
      {items.length === 0 && filter ? (
        <Text size="sm" c="dimmed" p="xs">
          {t('tree.nothing')}
        </Text>
      ) : (
        <Tree label={t('tree.label')} items={items} current={current} onToggle={toggle} />
      )}
    </div>
  )
}

function ViewMenu({ view, setView }: { view: View; setView: (view: View) => void }) {
  const { t } = useTranslation('shell')
  const Icon = ICONS[view] ?? IconBinaryTree2
  const label = t('tree.view', { view: t(`tree.views.${view}`) })
  return (
    <Menu position="bottom-end" width={180} shadow="md">
      <Menu.Target>
        <Tooltip label={label}>
          <ActionIcon variant="default" size={30} aria-label={label}>
            <Icon size={16} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.RadioGroup value={view} onChange={(value) => setView(value as View)}>
          {VIEWS.map((each) => (
            <Menu.RadioItem key={each} value={each} closeMenuOnClick>
              {t(`tree.views.${each}`)}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  )
}
