/** Everything by typing: things, pages, people and deeds. */
import { CloseButton, Kbd, Modal, Text } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { inventory } from '@/live/inventory'
import { parts, targetOf } from '@/shell/refs'
import { useFavourites, useRecent } from '@/shell/remembered'
import { commandHits } from '@/shell/search/commands'
import { type Found, find, type Group, guestHit, type Hit } from '@/shell/search/finder'
import { guestStack } from '@/shell/search/index'
import { Option } from '@/shell/search/Option'
import classes from '@/shell/search/Search.module.css'
import { useActions, useStacks } from '@/shell/search/useStacks'
import { hide } from '@/shell/surfaces'

type Section = { group: Group | 'recent'; hits: Hit[] }

const FRAME = { content: classes.content, inner: classes.inner, body: classes.body }

export default function SearchDialog() {
  const { t } = useTranslation('search')
  return (
    <Modal.Root
      opened
      onClose={hide}
      padding={0}
      size={640}
      yOffset="8vh"
      transitionProps={{ duration: 0 }}
      classNames={FRAME}
    >
      <Modal.Overlay />
      <Modal.Content aria-label={t('title')}>
        <Modal.Body>
          <Search />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}

/** What was looked at last and what can be done, before anything is typed. */
function useAtFirst(actions: Hit[]): Section[] {
  const [recent, favourites] = [useRecent(), useFavourites()]
  return useMemo(() => {
    const hits = [...new Set([...recent, ...favourites])].flatMap((ref): Hit[] => {
      const [kind, name, more] = parts(ref)
      const guest = kind === 'guest' ? inventory.get().guests.get(Number(name)) : undefined
      if (guest) return [guestHit(guest)]
      if (kind === 'guest') return []
      const group = kind === 'node' ? 'nodes' : kind === 'storage' ? 'storage' : 'pools'
      return [{ id: ref, group, title: more || name, more: more ? name : undefined, ref }]
    })
    const sections: Section[] = [
      { group: 'recent', hits: hits.slice(0, 8) },
      { group: 'actions', hits: actions },
    ]
    return sections.filter((section) => section.hits.length > 0)
  }, [recent, favourites, actions])
}

function useSections(query: string): Section[] {
  const navigate = useNavigate()
  const actions = useActions()
  const stacks = useStacks(actions)
  const atFirst = useAtFirst(actions.hits)
  return useMemo(() => {
    if (!query.trim()) return atFirst
    const console_ = (vmid: number) =>
      void navigate({ to: '/guests/$vmid/$tab', params: { vmid: String(vmid), tab: 'console' } })
    performance.mark('search')
    const commands = commandHits(query, guestStack(), console_)
    const found: Found[] = find(stacks, query)
    performance.measure('corral search', 'search')
    return commands.length > 0
      ? [{ group: 'actions', hits: commands }, ...found.filter((each) => each.group !== 'actions')]
      : found
  }, [query, atFirst, stacks, navigate])
}

const optionId = (index: number): string => `search-option-${index}`

function Search() {
  const { t } = useTranslation('search')
  const { t: common } = useTranslation()
  const navigate = useNavigate()
  const [typed, setTyped] = useState('')
  const query = useDeferredValue(typed)
  const sections = useSections(query)
  const hits = useMemo(() => sections.flatMap((section) => section.hits), [sections])
  const [active, setActive] = useState(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is typed anew begins at the best
  useEffect(() => setActive(0), [query])
  const at = Math.min(active, Math.max(0, hits.length - 1))
  useEffect(() => {
    document.getElementById(optionId(at))?.scrollIntoView({ block: 'nearest' })
  }, [at])

  function choose(hit: Hit | undefined): void {
    if (!hit) return
    hide()
    if (hit.run) hit.run()
    else if (hit.ref) void navigate(targetOf(hit.ref))
    else if (hit.to) void navigate({ to: hit.to })
    if (!hit.run) window.setTimeout(() => document.getElementById('main')?.focus(), 50)
  }

  function onKeyDown(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key]
    if (event.nativeEvent.isComposing) return
    if (step !== undefined && hits.length > 0) {
      const next = Math.abs(step) === 1 ? (at + step + hits.length) % hits.length : at + step
      setActive(Math.min(Math.max(next, 0), hits.length - 1))
    } else if (event.key === 'Enter') choose(hits[at])
    else return
    event.preventDefault()
  }

  return (
    <>
      <div className={classes.field}>
        <IconSearch size={18} aria-hidden />
        <input
          role="combobox"
          type="text"
          className={classes.input}
          aria-label={t('title')}
          aria-expanded={hits.length > 0}
          aria-controls="search-results"
          aria-autocomplete="list"
          aria-activedescendant={hits.length > 0 ? optionId(at) : undefined}
          placeholder={t('placeholder')}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          data-autofocus
        />
        <Kbd size="xs" aria-hidden visibleFrom="sm">
          Esc
        </Kbd>
        <CloseButton size="lg" hiddenFrom="sm" aria-label={common('close')} onClick={hide} />
      </div>
      <Results sections={sections} active={at} onChoose={choose} onActive={setActive} query={query} />
      <div role="status" className={classes.status}>
        {query.trim() ? t('results', { count: hits.length }) : ''}
      </div>
    </>
  )
}

interface ResultsProps {
  sections: Section[]
  active: number
  query: string
  onChoose: (hit: Hit) => void
  onActive: (index: number) => void
}

function Results({ sections, active, query, onChoose, onActive }: ResultsProps) {
  const { t } = useTranslation('search')
  const box = useRef<HTMLDivElement>(null)
  if (sections.length === 0)
    return (
      <div className={classes.nothing}>
        <Text size="sm">{t('nothing', { text: query })}</Text>
        <Text size="sm" c="dimmed">
          {t('nothingHint')}
        </Text>
      </div>
    )
  let index = -1
  return (
    <div ref={box} id="search-results" role="listbox" aria-label={t('title')} className={classes.results}>
      {sections.map(({ group, hits }) => (
        // biome-ignore lint/a11y/useSemanticElements: a group of options in a listbox, not of form fields
        <div key={group} role="group" aria-label={t(`groups.${group}`)}>
          <div className={classes.group} aria-hidden>
            {t(`groups.${group}`)}
          </div>
          {hits.map((hit) => {
            index += 1
            const mine = index
            return (
              <Option
                key={hit.id}
                id={optionId(mine)}
                hit={hit}
                active={mine === active}
                onChoose={() => onChoose(hit)}
                onHover={() => onActive(mine)}
              />
            )
          })}
        </div>
      ))}
    </div>
  )
}
