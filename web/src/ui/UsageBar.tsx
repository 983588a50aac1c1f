import classes from './UsageBar.module.css'

const tone = (fraction: number) => (fraction >= 0.9 ? 'bad' : fraction >= 0.75 ? 'warn' : 'ok')

/** How much of something is used, as a bar and in words. Light enough for every row of a long list. */
export function UsageBar({ fraction, text, hint }: { fraction: number; text: string; hint?: string }) {
  const width = `${Math.min(100, Math.max(0, fraction * 100))}%`
  return (
    <span className={classes.root} title={hint}>
      <span className={classes.track} aria-hidden>
        <span className={classes.fill} data-tone={tone(fraction)} style={{ width }} />
      </span>
      <span className={classes.text}>{text}</span>
    </span>
  )
}
