import { ActionIcon, Group, Skeleton, Table, Text, Title, VisuallyHidden } from '@mantine/core'
import { IconChartLine, IconTable } from '@tabler/icons-react'
import { lazy, Suspense, useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import classes from '@/ui/Chart.module.css'
import { type Point, summary, thinned } from '@/ui/chartData'
import { moment } from '@/ui/format'

const Canvas = lazy(() => import('@/ui/ChartCanvas'))

export interface Line {
  /** The name of the values in the points. */
  name: string
  label: string
}

export interface ChartProps {
  title: string
  points: readonly Point[]
  lines: readonly Line[]
  /** Values as people read them. */
  format: (value: number) => string
  /** Charts with the same word show the crosshair at the same moment. */
  sync?: string
  /** The highest value of the axis, if it is known (1 for a share, the memory's size). */
  max?: number
  /** The values are bytes: the axis is divided by powers of two. */
  binary?: boolean
  /** Unix seconds: what the time axis begins and ends with. */
  range: readonly [number, number]
  height?: number
}

/** Lines over time. The same figures are there as a sentence and as a table. */
export function Chart(props: ChartProps) {
  const { t } = useTranslation('guest')
  const [table, setTable] = useState(false)
  const id = useId()
  const spoken = useSpoken(props)
  return (
    <section className={classes.chart} aria-labelledby={id}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Title order={3} size="h5" id={id}>
          {props.title}
        </Title>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="sm"
          aria-label={table ? t('chart.asChart', { title: props.title }) : t('chart.asTable', { title: props.title })}
          aria-pressed={table}
          onClick={() => setTable(!table)}
        >
          {table ? <IconChartLine size={16} /> : <IconTable size={16} />}
        </ActionIcon>
      </Group>
      <VisuallyHidden>{spoken}</VisuallyHidden>
      {table ? (
        <Figures {...props} />
      ) : (
        <Suspense fallback={<Skeleton h={props.height ?? 170} />}>
          <Canvas {...props} />
        </Suspense>
      )}
    </section>
  )
}

function useSpoken({ points, lines, format }: ChartProps): string {
  const { t } = useTranslation('guest')
  return lines
    .map(({ name, label }) => {
      const found = summary(points, name)
      if (!found) return t('chart.nothing', { label })
      const { last, least, most, mean } = found
      return t('chart.spoken', {
        label,
        last: format(last),
        least: format(least),
        most: format(most),
        mean: format(mean),
      })
    })
    .join(' ')
}

function Figures({ title, points, lines, format, height = 170 }: ChartProps) {
  const { t } = useTranslation('guest')
  const rows = thinned(
    points.filter((point) => lines.some(({ name }) => typeof point[name] === 'number')),
    60,
  )
  if (rows.length === 0) return <Text size="sm">{t('chart.none')}</Text>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={classes.table} style={{ height }} tabIndex={0} aria-label={title}>
      <Table striped withRowBorders={false} verticalSpacing={2} className="numeric" fz="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t('chart.time')}</Table.Th>
            {lines.map(({ name, label }) => (
              <Table.Th key={name} scope="col" ta="right">
                {label}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((point) => (
            <Table.Tr key={point.time}>
              <Table.Td>{moment(point.time)}</Table.Td>
              {lines.map(({ name }) => {
                const value = point[name]
                return (
                  <Table.Td key={name} ta="right">
                    {typeof value === 'number' ? format(value) : '–'}
                  </Table.Td>
                )
              })}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  )
}
