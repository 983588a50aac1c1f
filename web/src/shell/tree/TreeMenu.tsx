/** What can be done with the thing under the pointer. */
import { Menu } from '@mantine/core'
import { IconArrowRight, IconPlayerPlay, IconPower, IconStar, IconTerminal2 } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useAllowed } from '@/api/permissions'
import { useGuest } from '@/live/inventory'
import { fits, power, type Verb } from '@/shell/guest'
import { parts, type Ref, targetOf } from '@/shell/refs'
import { toggleFavourite, useFavourites } from '@/shell/remembered'

export interface At {
  of: Ref
  x: number
  y: number
}

export function TreeMenu({ at, onClose }: { at: At | null; onClose: () => void }) {
  return (
    <Menu
      opened={at !== null}
      onClose={onClose}
      position="bottom-start"
      withinPortal
      shadow="md"
      width={220}
      returnFocus
    >
      <Menu.Target>
        <div aria-hidden style={{ position: 'fixed', left: at?.x ?? 0, top: at?.y ?? 0 }} />
      </Menu.Target>
      <Menu.Dropdown>{at && <Items of={at.of} />}</Menu.Dropdown>
    </Menu>
  )
}

function Items({ of }: { of: Ref }) {
  const { t } = useTranslation('shell')
  const navigate = useNavigate()
  const on = useFavourites().includes(of)
  const [kind, name] = parts(of)
  return (
    <>
      <Menu.Item leftSection={<IconArrowRight size={16} />} onClick={() => void navigate(targetOf(of))}>
        {t('tree.open')}
      </Menu.Item>
      {kind === 'guest' && <GuestItems vmid={Number(name)} />}
      <Menu.Divider />
      <Menu.Item leftSection={<IconStar size={16} />} onClick={() => toggleFavourite(of)}>
        {t(on ? 'tree.unstar' : 'tree.star')}
      </Menu.Item>
    </>
  )
}

const SHOWN: readonly Verb[] = ['start', 'resume', 'shutdown']

function GuestItems({ vmid }: { vmid: number }) {
  const { t } = useTranslation('shell')
  const navigate = useNavigate()
  const guest = useGuest(vmid)
  const mayPower = useAllowed(`/vms/${vmid}`, 'VM.PowerMgmt')
  const mayLook = useAllowed(`/vms/${vmid}`, 'VM.Console')
  if (!guest) return null
  return (
    <>
      <Menu.Item
        leftSection={<IconTerminal2 size={16} />}
        disabled={!mayLook || guest.template}
        onClick={() => void navigate({ to: '/guests/$vmid/$tab', params: { vmid: String(vmid), tab: 'console' } })}
      >
        {t('tree.console')}
      </Menu.Item>
      {SHOWN.filter((verb) => fits(guest, verb)).map((verb) => (
        <Menu.Item
          key={verb}
          leftSection={verb === 'shutdown' ? <IconPower size={16} /> : <IconPlayerPlay size={16} />}
          disabled={!mayPower}
          onClick={() => power(guest, verb)}
        >
          {t(`verbs.${verb}`)}
        </Menu.Item>
      ))}
    </>
  )
}
