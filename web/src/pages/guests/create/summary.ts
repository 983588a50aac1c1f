/** What was chosen, in a few words per step. */
import type { TFunction } from 'i18next'
import { type Draft, filenameOf, isImage } from '@/pages/guests/create/draft'
import type { StepName } from '@/pages/guests/create/params'
import type { Choices } from '@/pages/guests/create/useChoices'
import { bytes } from '@/ui/format'

type T = TFunction<'wizard'>

export function sourceText(draft: Draft, t: T): string {
  if (draft.source.kind === 'none') return t('notChosen')
  return draft.source.kind === 'empty' ? t('emptyDisk') : filenameOf(draft.source)
}

export function diskText(draft: Draft, t: T): string {
  return isImage(draft.source) && draft.disk === 0 ? t('asImage') : bytes(draft.disk * 2 ** 30)
}

export function sizeText(draft: Draft, t: T): string {
  const cpus = t('cpus', { count: draft.cores * draft.sockets })
  return `${cpus}, ${bytes(draft.memory * 2 ** 20)}, ${diskText(draft, t)}`
}

export function networkText(draft: Draft, choices: Choices, t: T): string {
  const bridge = draft.bridge ?? choices.facts.bridge
  return bridge ? `${bridge} · ${draft.model}` : t('userModeShort')
}

export function cloudText(draft: Draft, t: T): string {
  if (!draft.cloud) return t('off')
  const ways = [draft.password && t('withPassword'), draft.keys.trim() && t('withKey')].filter(Boolean)
  return ways.length ? ways.join(', ') : t('noAccess')
}

export function stepText(step: StepName, draft: Draft, choices: Choices, t: T): string {
  switch (step) {
    case 'source':
      return sourceText(draft, t)
    case 'general':
      return [draft.name || `VM ${draft.vmid || choices.nextid}`, choices.node].filter(Boolean).join(' · ')
    case 'size':
      return sizeText(draft, t)
    case 'network':
      return networkText(draft, choices, t)
    case 'cloud':
      return cloudText(draft, t)
    case 'review':
      return draft.start ? t('startsAfter') : t('staysOff')
  }
}
