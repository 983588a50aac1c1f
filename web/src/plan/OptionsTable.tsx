import { Button, Text, VisuallyHidden } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { beginning, type OptionChange } from '@/plan/options'
import { DiffView, Spans } from '@/ui/DiffView'
import { compare, wordSpans } from '@/ui/diff'
import classes from './OptionsTable.module.css'

const SHOWN = 12

/** Changed options: `memory: 2048 → 4096`. `created`: all of them are new, so only their values are shown. */
export function OptionsTable({
  changes,
  label,
  created = false,
}: {
  changes: readonly OptionChange[]
  label: string
  created?: boolean
}) {
  const { t } = useTranslation('plan')
  const [whole, setWhole] = useState(false)
  const shown = whole || changes.length <= SHOWN * 1.25 ? changes : changes.slice(0, SHOWN)
  return (
    <div>
      <table className={classes.table} aria-label={label}>
        <thead>
          <tr>
            <th scope="col" className={classes.column}>
              {t('option')}
            </th>
            <th scope="col" className={classes.column}>
              {created ? t('value') : t('change')}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((change) => (
            <tr key={`${change.section} ${change.name}`}>
              <th scope="row">
                {change.section !== '' && <span className={classes.section}>{change.section} </span>}
                {change.name}
              </th>
              <td>{created ? <Value text={change.after ?? ''} /> : <Change {...change} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown !== changes && (
        <Button variant="subtle" size="compact-sm" onClick={() => setWhole(true)}>
          {t('allOptions', { count: changes.length })}
        </Button>
      )}
    </div>
  )
}

/** A value; of a long one its beginning. */
function Value({ text }: { text: string }) {
  const { t } = useTranslation('plan')
  const [whole, setWhole] = useState(false)
  const begin = beginning(text)
  if (whole || begin === text) return text
  return (
    <>
      {begin}
      <Button variant="default" size="compact-xs" mx={4} aria-label={t('wholeValue')} onClick={() => setWhole(true)}>
        …
      </Button>
    </>
  )
}

function Change({ name, before, after }: OptionChange) {
  const { t } = useTranslation('plan')
  if (before?.includes('\n') && after !== undefined) {
    return <DiffView hunks={compare(before, after, 1)} label={t('diffOf', { file: name })} />
  }
  const unset = (
    <Text span c="dimmed" inherit ff="text">
      {t('unset')}
    </Text>
  )
  const short =
    before !== undefined && after !== undefined && beginning(before) === before && beginning(after) === after
  const pair = short ? wordSpans(before, after) : null
  return (
    <>
      {before === undefined ? unset : <del>{pair ? <Spans spans={pair[0]} /> : <Value text={before} />}</del>}
      <span aria-hidden className={classes.arrow}>
        →
      </span>
      <VisuallyHidden> {t('becomes')} </VisuallyHidden>
      {after === undefined ? unset : <ins>{pair ? <Spans spans={pair[1]} /> : <Value text={after} />}</ins>}
    </>
  )
}
