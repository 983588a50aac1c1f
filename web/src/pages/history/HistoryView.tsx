/** Who changed what, when and why: of everything, or of one guest or file. */
import { Tabs } from '@mantine/core'
import { IconClockHour4, IconListDetails, IconUserEdit } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { AsOf } from '@/pages/history/AsOf'
import { BlameView } from '@/pages/history/BlameView'
import { Changes } from '@/pages/history/Changes'
import { usePlace } from '@/pages/history/data'
import type { View } from '@/pages/history/timeline'
import classes from './history.module.css'

export interface HistoryViewProps {
  /** Only of this guest. */
  vmid?: number
  /** Only of this file or record. */
  path?: string
}

/** Fills its place; scrolls inside. What is looked at stands in the URL. */
export function HistoryView({ vmid, path }: HistoryViewProps) {
  const { t } = useTranslation('history')
  const [place, go] = usePlace()
  const own = vmid !== undefined ? `guest/${vmid}` : path
  return (
    <Tabs
      value={place.view}
      onChange={(value) => go({ view: (value ?? 'changes') as View })}
      keepMounted={false}
      className={classes.tabs}
      classNames={{ panel: classes.panel, list: classes.list, tabSection: classes.wide }}
    >
      <Tabs.List>
        <Tabs.Tab value="changes" leftSection={<IconListDetails size={16} aria-hidden />}>
          {t('view.changes')}
        </Tabs.Tab>
        <Tabs.Tab value="then" leftSection={<IconClockHour4 size={16} aria-hidden />}>
          {t('view.then')}
        </Tabs.Tab>
        <Tabs.Tab value="blame" leftSection={<IconUserEdit size={16} aria-hidden />}>
          {t('view.blame')}
        </Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="changes">
        <Changes own={{ vmid, path }} />
      </Tabs.Panel>
      <Tabs.Panel value="then">
        <AsOf own={own} />
      </Tabs.Panel>
      <Tabs.Panel value="blame">
        <BlameView own={own} />
      </Tabs.Panel>
    </Tabs>
  )
}
