import classes from './StatusDot.module.css'

const TONES: Record<string, string> = {
  running: 'ok',
  online: 'ok',
  available: 'ok',
  OK: 'ok',
  paused: 'warn',
  suspended: 'warn',
  prelaunch: 'warn',
  offline: 'bad',
  error: 'bad',
  'io-error': 'bad',
  'internal-error': 'bad',
  busy: 'busy',
}

/**
 * A state in colour and words: colour alone says nothing to many. `compact`: the words are for screen readers only. Plain
 * elements, as it is in every row of long lists.
 */
export function StatusDot({ status, label, compact = false }: { status: string; label?: string; compact?: boolean }) {
  return (
    <span className={classes.root}>
      <span className={classes.dot} data-tone={TONES[status]} aria-hidden />
      <span className={compact ? classes.hidden : classes.label}>{label ?? status}</span>
    </span>
  )
}
