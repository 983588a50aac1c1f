/** A log that follows its end, unless one has scrolled up to read. Only the lines that are seen are in the page. */
import { Button, Text } from '@mantine/core'
import { IconArrowDown } from '@tabler/icons-react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLog } from '@/pages/tasks/log'
import classes from '@/pages/tasks/Tasks.module.css'

const LINE = 19
/** So near (px) to the end counts as at the end. */
const NEAR = 32

export function TaskLog({ upid, label }: { upid: string; label: string }) {
  const { t } = useTranslation('tasks')
  const { lines, trouble, ready } = useLog(upid)
  const box = useRef<HTMLDivElement>(null)
  const [following, setFollowing] = useState(true)
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE,
    overscan: 20,
  })
  useEffect(() => {
    if (following && lines.length > 0) rows.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [following, lines.length, rows])

  function onScroll(): void {
    const at = box.current
    if (at) setFollowing(at.scrollHeight - at.scrollTop - at.clientHeight < NEAR)
  }

  return (
    <div className={classes.log}>
      <section
        ref={box}
        aria-label={t('log.label', { task: label })}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys
        tabIndex={0}
        className={classes.lines}
        onScroll={onScroll}
      >
        {ready && lines.length === 0 && <p className={classes.empty}>{t('log.empty')}</p>}
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map(({ index, start, key }) => (
            <div
              key={key}
              ref={rows.measureElement}
              data-index={index}
              className={classes.line}
              data-tone={toneOf(lines[index] ?? '')}
              style={{ transform: `translateY(${start}px)` }}
            >
              {lines[index] || '\u00a0'}
            </div>
          ))}
        </div>
      </section>
      {trouble === 'lost' && (
        <Text size="xs" className={classes.trouble} role="status">
          {t('log.lost')}
        </Text>
      )}
      {!following && (
        <Button
          size="compact-sm"
          variant="default"
          className={classes.toEnd}
          leftSection={<IconArrowDown size={14} aria-hidden />}
          onClick={() => setFollowing(true)}
        >
          {t('log.follow')}
        </Button>
      )}
    </div>
  )
}

function toneOf(line: string): string | undefined {
  if (/^TASK ERROR|^error:/i.test(line)) return 'bad'
  return /^WARN(ING)?:/.test(line) ? 'warn' : undefined
}
