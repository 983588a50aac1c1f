import type RFB from '@novnc/novnc'
import { type Ref, type RefObject, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import classes from '@/pages/guests/console/Console.module.css'
import { BACKSPACE, ENTER, typed, typeText } from '@/pages/guests/console/keys'

// There must be something to take back: phones send no key for backspace in an empty field.
const FILLER = '_'.repeat(40)

/** A field that nobody sees: focused, it brings up a phone's keyboard, and what is typed goes to the guest. */
export function ScreenKeyboard({ rfb, ref }: { rfb: RefObject<RFB | null>; ref: Ref<HTMLTextAreaElement> }) {
  const { t } = useTranslation('console')
  const before = useRef(FILLER)
  function changed(field: HTMLTextAreaElement): void {
    const { back, text } = typed(before.current, field.value)
    before.current = field.value
    for (let count = 0; count < back; count++) rfb.current?.sendKey(BACKSPACE.keysym, BACKSPACE.code)
    if (text && rfb.current) void typeText(rfb.current, text)
    if (field.value.length < 10 || field.value.length > 200) {
      field.value = FILLER
      before.current = FILLER
    }
  }
  return (
    <textarea
      ref={ref}
      className={classes.typing}
      aria-label={t('typeHere')}
      tabIndex={-1}
      defaultValue={FILLER}
      autoCapitalize="none"
      autoComplete="off"
      autoCorrect="off"
      spellCheck={false}
      onInput={(event) => changed(event.currentTarget)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter') return
        event.preventDefault()
        rfb.current?.sendKey(ENTER.keysym, ENTER.code)
      }}
    />
  )
}
