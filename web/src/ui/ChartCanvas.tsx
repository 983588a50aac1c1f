import 'uplot/dist/uPlot.min.css'
import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import type { ChartProps } from '@/ui/Chart'
import classes from '@/ui/Chart.module.css'
import { type Aligned, aligned } from '@/ui/chartData'
import { clockTime, day, moment } from '@/ui/format'

const DASHES = [[], [6, 3], [2, 2]]
/** Steps of an axis of bytes: 1, 2, 4, 8 … KiB. */
const BINARY = Array.from({ length: 52 }, (_, power) => 2 ** power)

/** Labels of the time axis: the clock within two days, the day beyond. */
function clock(made: uPlot, times: readonly number[]): string[] {
  const { min = 0, max = 0 } = made.scales.x ?? {}
  const short = (max ?? 0) - (min ?? 0) <= 2 * 86400
  return times.map((time) => (short ? clockTime(time) : day(time)))
}

/** The drawing itself; loaded when the first chart is looked at. */
export default function ChartCanvas(props: ChartProps) {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const latest = useRef(props)
  latest.current = props
  const scheme = useComputedColorScheme('light')
  const [place, setPlace] = useState<number | null>(null)
  const names = props.lines.map(({ name }) => name).join(' ')
  const data = useMemo(() => aligned(props.points, names.split(' ')), [props.points, names])
  const [from, to] = props.range

  // biome-ignore lint/correctness/useExhaustiveDependencies: other colours and lines make another chart; data follows below
  useEffect(() => {
    const element = host.current
    if (!element) return
    const made = new uPlot(options(element, latest, setPlace), data as uPlot.AlignedData, element)
    plot.current = made
    const observer = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: latest.current.height ?? 170 })
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [scheme, names, props.sync, props.max])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the range's ends are its value
  useEffect(() => plot.current?.setData(data as uPlot.AlignedData), [data, from, to])

  return (
    <>
      <div ref={host} className={classes.canvas} aria-hidden="true" />
      <Legend {...props} data={data} place={place} />
    </>
  )
}

/** Names of the lines, and their values at the crosshair or at the end. */
function Legend({ lines, format, data, place }: ChartProps & { data: Aligned; place: number | null }) {
  const time = place === null ? undefined : data[0][place]
  return (
    <div className={classes.legend} aria-hidden="true">
      {lines.map(({ name, label }, index) => {
        const column = data[index + 1] ?? []
        const value = place === null ? column.findLast((each) => each !== null) : column[place]
        return (
          <span key={name}>
            <i className={index > 0 ? classes.dashed : undefined} style={{ borderTopColor: `var(--chart-${index})` }} />
            {label} {typeof value === 'number' ? format(value) : '–'}
          </span>
        )
      })}
      {time !== undefined && <span>{moment(time)}</span>}
    </div>
  )
}

function options(
  element: HTMLElement,
  latest: { current: ChartProps },
  onPlace: (place: number | null) => void,
): uPlot.Options {
  const color = (name: string) => getComputedStyle(element).getPropertyValue(name).trim() || '#888'
  // Values of custom properties are not resolved: `light-dark()` is, on a property that holds a colour.
  const resolve = (name: string): string => {
    const probe = document.createElement('span')
    probe.style.color = `var(${name})`
    element.append(probe)
    const found = getComputedStyle(probe).color
    probe.remove()
    return found || color(name)
  }
  const { lines, max, sync, binary, height = 170 } = latest.current
  const axis: uPlot.Axis = {
    stroke: resolve('--chart-axis'),
    grid: { stroke: resolve('--chart-grid'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  }
  return {
    width: element.clientWidth || 300,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, ...(sync ? { sync: { key: sync, setSeries: false } } : {}) },
    scales: {
      x: { range: () => [...latest.current.range] as [number, number] },
      y: { range: (_, __, most) => [0, max ?? Math.max(most * 1.1 || 0, binary ? 1024 : 1e-3)] },
    },
    axes: [
      { ...axis, size: 26, space: 64, values: (made, times) => clock(made, times) },
      {
        ...axis,
        size: 68,
        ...(binary ? { incrs: BINARY } : {}),
        values: (_, values) => values.map((value) => latest.current.format(value)),
      },
    ],
    series: [
      {},
      ...lines.map(({ label }, index) => {
        const stroke = resolve(`--chart-${index}`)
        return {
          label,
          stroke,
          width: 1.75,
          dash: DASHES[index] ?? [],
          points: { show: false },
          spanGaps: false,
          ...(index === 0 ? { fill: stroke.replace('rgb(', 'rgba(').replace(')', ', 0.12)') } : {}),
        }
      }),
    ],
    hooks: { setCursor: [(made) => onPlace(made.cursor.idx ?? null)] },
  }
}
