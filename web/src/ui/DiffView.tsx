import { Button, VisuallyHidden } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DiffLine, Hunk } from '@/ui/diff'
import classes from './DiffView.module.css'

const SIGNS = { add: '+', remove: '−', same: '' } as const
/** So many lines are shown at once; of longer ones the rest is asked for. */
const SHOWN = 60

/** A unified difference: what is added and removed is told by colour, by sign and to screen readers. */
export function DiffView({ hunks, label }: { hunks: readonly Hunk[]; label: string }) {
  const { t } = useTranslation('plan')
  const [whole, setWhole] = useState(false)
  const total = hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0)
  const shown = whole || total <= SHOWN * 1.2 ? hunks : firstLines(hunks, SHOWN)
  return (
    <div>
      <figure className={classes.diff} aria-label={label}>
        {shown.map((hunk, place) => (
          <div key={`${hunk.oldStart}.${hunk.newStart}`}>
            {(place > 0 || hunk.newStart > 1) && (
              <div className={classes.gap}>{t('diff.from', { line: hunk.newStart })}</div>
            )}
            {hunk.lines.map((line) => (
              <Line key={`${line.old ?? ''}.${line.new ?? ''}`} line={line} />
            ))}
          </div>
        ))}
      </figure>
      {shown !== hunks && (
        <Button variant="subtle" size="compact-sm" mt={4} onClick={() => setWhole(true)}>
          {t('diff.whole', { count: total })}
        </Button>
      )}
    </div>
  )
}

function firstLines(hunks: readonly Hunk[], limit: number): Hunk[] {
  const out: Hunk[] = []
  let left = limit
  for (const hunk of hunks) {
    if (left <= 0) break
    out.push({ ...hunk, lines: hunk.lines.slice(0, left) })
    left -= hunk.lines.length
  }
  return out
}

function Line({ line }: { line: DiffLine }) {
  const { t } = useTranslation('plan')
  return (
    <div className={classes.line} data-kind={line.kind}>
      <span className={classes.sign} aria-hidden>
        {SIGNS[line.kind]}
      </span>
      <span>
        {line.kind !== 'same' && <VisuallyHidden>{t(`diff.${line.kind}`)}: </VisuallyHidden>}
        {line.spans ? <Spans spans={line.spans} /> : line.text}
      </span>
    </div>
  )
}

/** Text with the words marked that changed. */
export function Spans({ spans }: { spans: readonly { text: string; marked: boolean }[] }) {
  let place = 0
  return spans.map((span) => {
    place += span.text.length
    return span.marked ? <mark key={place}>{span.text}</mark> : span.text
  })
}
