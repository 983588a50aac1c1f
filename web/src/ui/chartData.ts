/** What charts draw, as values: no library, no page. */

/** A measured value by name; what was not measured is missing or null. */
export type Point = { time: number } & Record<string, number | null | undefined>

export const TIMEFRAMES = ['hour', 'day', 'week', 'month', 'year'] as const
export type Timeframe = (typeof TIMEFRAMES)[number]

/** Seconds that a time frame looks back. */
export const SPAN: Record<Timeframe, number> = {
  hour: 3600,
  day: 86400,
  week: 7 * 86400,
  month: 30 * 86400,
  year: 365 * 86400,
}

/** Times, and the values of each name at them; unknown ones are null. */
export type Aligned = [number[], ...(number | null)[][]]

/**
 * Columns for the chart. Where more time has passed than twice what is usual, nothing was measured: a gap is put there
 * instead of a line that pretends to know.
 */
export function aligned(points: readonly Point[], names: readonly string[]): Aligned {
  const times: number[] = []
  const columns: (number | null)[][] = names.map(() => [])
  const usual = step(points)
  let before: number | undefined
  for (const point of points) {
    if (before !== undefined && point.time - before > usual * 2.5) {
      times.push(before + usual)
      for (const column of columns) column.push(null)
    }
    times.push(point.time)
    names.forEach((name, place) => {
      columns[place]?.push(point[name] ?? null)
    })
    before = point.time
  }
  return [times, ...columns]
}

/** The usual distance of two points, with those that came live beside coarser history. */
function step(points: readonly Point[]): number {
  const distances: number[] = []
  for (let place = 1; place < points.length; place++) {
    distances.push((points[place]?.time ?? 0) - (points[place - 1]?.time ?? 0))
  }
  if (distances.length === 0) return 60
  distances.sort((a, b) => a - b)
  return Math.max(distances[Math.floor((distances.length - 1) * 0.75)] ?? 60, 10)
}

/** History, and what came after its last measured point. */
export function joined(history: readonly Point[], live: readonly Point[]): Point[] {
  const measured = history.findLastIndex((point) => Object.keys(point).some((key) => key !== 'time'))
  const kept = measured < 0 ? [] : history.slice(0, measured + 1)
  const leading = measured < 0 ? history : []
  const last = kept.at(-1)?.time ?? Number.NEGATIVE_INFINITY
  const late = live.filter(({ time }) => time > last)
  if (late.length === 0) return [...history]
  const first = late[0]?.time ?? 0
  return [...leading.filter(({ time }) => time < first), ...kept, ...late]
}

/** What is said of a line to those who can't see it. */
export interface Summary {
  least: number
  most: number
  mean: number
  last: number
}

export function summary(points: readonly Point[], name: string): Summary | null {
  const values = points.map((point) => point[name]).filter((value) => typeof value === 'number')
  if (values.length === 0) return null
  let [least, most, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const value of values) {
    least = Math.min(least, value)
    most = Math.max(most, value)
    sum += value
  }
  return { least, most, mean: sum / values.length, last: values.at(-1) ?? 0 }
}

/** At most so many points, evenly chosen, the newest first: for tables. */
export function thinned(points: readonly Point[], most: number): Point[] {
  const stride = Math.max(1, Math.ceil(points.length / most))
  const chosen: Point[] = []
  for (let place = points.length - 1; place >= 0; place -= stride) {
    const point = points[place]
    if (point) chosen.push(point)
  }
  return chosen
}
