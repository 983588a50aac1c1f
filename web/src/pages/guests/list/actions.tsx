import {
  IconBoxMultiple,
  IconDeviceDesktop,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconPower,
  IconRefresh,
  IconRotateClockwise2,
  IconTags,
  IconTerminal2,
  IconTrash,
} from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { type ReactNode, useCallback, useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '@/api/session'
import type { Guest } from '@/live/types'
import { openPopout } from '@/pages/guests/console/popout'
import { runBulk } from '@/ui/Bulk/runBulk'
import type { BulkAction, RowAction } from '@/ui/DataTable'
import type { Ask } from './dialogs'
import { applies, isMachine, type Power, powerJobs } from './jobs'

const ICON: Record<Power, ReactNode> = {
  start: <IconPlayerPlay size={16} aria-hidden />,
  resume: <IconPlayerPlay size={16} aria-hidden />,
  shutdown: <IconPower size={16} aria-hidden />,
  stop: <IconPlayerStop size={16} aria-hidden />,
  reboot: <IconRefresh size={16} aria-hidden />,
  reset: <IconRotateClockwise2 size={16} aria-hidden />,
  suspend: <IconPlayerPause size={16} aria-hidden />,
}
const CONSOLE = <IconTerminal2 size={16} aria-hidden />

/** Nobody in the guest loses anything by these: they are done without asking. */
const HARMLESS: readonly Power[] = ['start', 'resume', 'suspend']
const IN_ROW: readonly Power[] = ['start', 'resume', 'shutdown', 'stop', 'reboot']
const IN_MENU: readonly Power[] = ['start', 'resume', 'shutdown', 'reboot', 'suspend', 'reset', 'stop']
const IN_BAR: readonly Power[] = ['start', 'shutdown', 'stop']
const BULK: readonly Power[] = ['start', 'shutdown', 'stop', 'reboot', 'reset', 'suspend', 'resume']
const isHard = (power: Power): boolean => power === 'stop' || power === 'reset'

/** Power actions, done or asked about. */
function usePower(ask: (ask: Ask) => void) {
  const { t } = useTranslation('lists')
  return useCallback(
    (power: Power, guests: readonly Guest[]) => {
      const jobs = powerJobs(power, guests)
      const what = t(`do.${power}`)
      const title = jobs.length === 1 ? what : t('doMany', { what, count: jobs.length })
      if (HARMLESS.includes(power)) void runBulk(title, jobs)
      else ask({ kind: 'power', power, guests })
    },
    [t, ask],
  )
}

function useConsole() {
  const navigate = useNavigate()
  return useCallback(
    (guest: Guest) => {
      const params = { vmid: String(guest.vmid), tab: 'console' }
      void navigate({ to: '/guests/$vmid/$tab', params })
    },
    [navigate],
  )
}

/** The buttons in a row: what can be done with the guest as it is. */
export function useQuickActions(ask: (ask: Ask) => void): (guest: Guest) => readonly RowAction[] {
  const { t } = useTranslation('lists')
  const power = usePower(ask)
  const toConsole = useConsole()
  const [mayPower, mayConsole] = [useMay('vms', 'VM.PowerMgmt'), useMay('vms', 'VM.Console')]
  return useCallback(
    (guest) => [
      ...IN_ROW.filter((each) => mayPower && applies(each, guest)).map((each) => ({
        id: each,
        label: t(`do.${each}`),
        icon: ICON[each],
        onClick: () => power(each, [guest]),
      })),
      ...(mayConsole && isMachine(guest)
        ? [{ id: 'console', label: t('console'), icon: CONSOLE, onClick: () => toConsole(guest) }]
        : []),
    ],
    [t, power, toConsole, mayPower, mayConsole],
  )
}

export function useRowActions(ask: (ask: Ask) => void): (guest: Guest) => readonly RowAction[] {
  const { t } = useTranslation('lists')
  const power = usePower(ask)
  const toConsole = useConsole()
  const may = useRights()
  return (guest) => {
    const running = guest.status === 'running'
    const powers = IN_MENU.filter((each) => may.power && applies(each, guest)).map((each) => ({
      id: each,
      label: t(`do.${each}`),
      icon: ICON[each],
      danger: isHard(each),
      onClick: () => power(each, [guest]),
    }))
    const consoles = [
      {
        id: 'console',
        label: t('console'),
        icon: CONSOLE,
        divider: powers.length > 0,
        onClick: () => toConsole(guest),
      },
      {
        id: 'window',
        label: t('consoleWindow'),
        icon: <IconDeviceDesktop size={16} aria-hidden />,
        onClick: () => openPopout(guest),
      },
    ]
    const asked = may.allowed.map(({ id, label, icon, danger }, at) => ({
      id,
      label,
      icon,
      danger,
      divider: at === 0 || id === 'delete',
      disabled: id === 'delete' && running ? t('stopFirst', { count: 1 }) : undefined,
      onClick: () => ask({ kind: id, guests: [guest] }),
    }))
    return [...powers, ...(may.console && isMachine(guest) ? consoles : []), ...asked]
  }
}

/** What the user may do with some guests; the API decides for each. */
function useRights() {
  const { t } = useTranslation('lists')
  const power = useMay('vms', 'VM.PowerMgmt')
  const console = useMay('vms', 'VM.Console')
  const options = useMay('vms', 'VM.Config.Options')
  const allocate = useMay('vms', 'VM.Allocate')
  const allowed = useMemo(
    () => [
      ...(options
        ? [{ id: 'tags' as const, label: t('editTags'), icon: <IconTags size={16} aria-hidden />, danger: false }]
        : []),
      ...(allocate
        ? [
            {
              id: 'pool' as const,
              label: t('moveToPool'),
              icon: <IconBoxMultiple size={16} aria-hidden />,
              danger: false,
            },
          ]
        : []),
      ...(allocate
        ? [{ id: 'delete' as const, label: t('delete'), icon: <IconTrash size={16} aria-hidden />, danger: true }]
        : []),
    ],
    [t, options, allocate],
  )
  return { power, console, allowed }
}

export function useBulkActions(ask: (ask: Ask) => void): readonly BulkAction<Guest>[] {
  const { t } = useTranslation('lists')
  const power = usePower(ask)
  const may = useRights()
  return useMemo(() => {
    const powers = BULK.filter(() => may.power).map((each) => ({
      id: each,
      label: t(`do.${each}`),
      icon: ICON[each],
      danger: isHard(each),
      primary: IN_BAR.includes(each),
      disabled: (guests: readonly Guest[]) =>
        guests.some((guest) => applies(each, guest)) ? undefined : t('noneApplies'),
      onClick: (guests: readonly Guest[]) => power(each, guests),
    }))
    const asked = may.allowed.map(({ id, label, icon, danger }) => ({
      id,
      label,
      icon,
      danger,
      primary: id === 'tags',
      onClick: (guests: readonly Guest[]) => ask({ kind: id, guests }),
    }))
    return [...powers, ...asked]
  }, [t, power, may.power, may.allowed, ask])
}
