import { Button } from '@mantine/core'
import type RFB from '@novnc/novnc'
import { type RefObject, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { MODIFIERS, type Modifier } from '@/pages/guests/console/keys'

const NAMES = Object.keys(MODIFIERS) as Modifier[]

/** Keys that stay pressed until they are pressed again: for keyboards that don't have them. */
export function Modifiers({ rfb, enabled }: { rfb: RefObject<RFB | null>; enabled: boolean }) {
  const { t } = useTranslation('console')
  const [held, setHeld] = useState<ReadonlySet<Modifier>>(new Set())
  useEffect(() => {
    if (!enabled) setHeld(new Set())
  }, [enabled])
  function toggle(name: Modifier): void {
    const down = !held.has(name)
    const { keysym, code } = MODIFIERS[name]
    rfb.current?.sendKey(keysym, code, down)
    const next = new Set(held)
    if (down) next.add(name)
    else next.delete(name)
    setHeld(next)
  }
  return (
    <Button.Group {...{ 'aria-label': t('hold') }}>
      {NAMES.map((name) => (
        <Button
          key={name}
          size="compact-sm"
          h={36}
          px={8}
          variant={held.has(name) ? 'filled' : 'default'}
          aria-pressed={held.has(name)}
          disabled={!enabled}
          onClick={() => toggle(name)}
        >
          {name}
        </Button>
      ))}
    </Button.Group>
  )
}
