import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { StorageEntry } from '@/pages/storage/list/entries'
import type { Column } from '@/ui/DataTable'
import { bytes, percent } from '@/ui/format'
import { StatusDot } from '@/ui/StatusDot'
import { UsageBar } from '@/ui/UsageBar'

type T = ReturnType<typeof useTranslation<'lists'>>['t']

const KNOWN = ['available', 'unavailable', 'disabled'] as const
const wordOf = (t: T, status: string): string => {
  const known = KNOWN.find((each) => each === status)
  return known ? t(`storageStatus.${known}`) : t('storageStatus.unknown')
}

export function useStorageColumns(): readonly Column<StorageEntry>[] {
  const { t } = useTranslation('lists')
  return useMemo(() => [...identity(t), ...usage(t)], [t])
}

const identity = (t: T): Column<StorageEntry>[] => [
  { id: 'storage', header: t('name'), value: ({ storage }) => storage, required: true, mobile: 'title', width: 150 },
  {
    id: 'status',
    header: t('status'),
    value: ({ status }) => status,
    label: (value) => wordOf(t, value),
    cell: ({ status }) => <StatusDot status={status} label={wordOf(t, status)} />,
    filter: 'options',
    mobile: 'side',
    width: 120,
    fixed: true,
  },
  { id: 'node', header: t('node'), value: ({ node }) => node, filter: 'options', mobile: 'meta', width: 100 },
  { id: 'type', header: t('type'), value: ({ type }) => type, filter: 'options', mobile: 'meta', width: 90 },
  {
    id: 'content',
    header: t('content'),
    value: ({ content }) => content,
    filter: 'options',
    width: 200,
  },
]

const usage = (t: T): Column<StorageEntry>[] => [
  {
    id: 'usage',
    header: t('usage'),
    value: ({ used, size }) => (size > 0 ? used / size : null),
    search: false,
    cell: ({ used, size }) =>
      size > 0 && (
        <UsageBar fraction={used / size} text={percent(used / size)} hint={`${bytes(used)} / ${bytes(size)}`} />
      ),
    card: ({ used, size }) => size > 0 && `${percent(used / size)} / ${bytes(size)}`,
    mobile: 'meta',
    width: 130,
  },
  {
    id: 'used',
    header: t('used'),
    value: ({ used }) => used,
    cell: ({ used, size }) => (size > 0 ? bytes(used) : ''),
    align: 'right',
    width: 90,
    optional: true,
  },
  {
    id: 'size',
    header: t('size'),
    value: ({ size }) => size,
    cell: ({ size }) => (size > 0 ? bytes(size) : ''),
    align: 'right',
    width: 90,
  },
  {
    id: 'shared',
    header: t('shared'),
    value: ({ shared }) => String(shared),
    label: (value) => (value === 'true' ? t('yes') : t('no')),
    cell: ({ shared }) => (shared ? t('yes') : t('no')),
    filter: 'options',
    width: 90,
    fixed: true,
  },
  { id: 'path', header: t('path'), value: ({ path }) => path, width: 200, optional: true },
]
