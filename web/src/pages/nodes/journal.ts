/** Lines of a node's log, as the API answers them: each a JSON text. */

export interface Line {
  cursor: string
  /** Unix seconds. */
  time: number
  text: string
  unit: string
  identifier: string
  /** 0 (emergency) to 7 (debug). */
  priority: number
}

export interface Filter {
  unit: string
  /** The least severe that is shown: 7 is everything. */
  priority: number
  /** `2027-01-31T08:00`, in the browser's zone; '' for no bound. */
  since: string
  until: string
}

/** The most that is read at once. */
export const PAGE = 300

/** Lines that can be read; what is no JSON is shown as it is. */
export function parsed(texts: readonly string[]): Line[] {
  return texts.map((text, place) => {
    try {
      return JSON.parse(text) as Line
    } catch {
      return { cursor: `${place}:${text}`, time: 0, text, unit: '', identifier: '', priority: 6 }
    }
  })
}

/** All lines once, in the order in which they came. What is read by time overlaps by a second. */
export function merged(older: readonly Line[], newer: readonly Line[]): Line[] {
  const known = new Set(older.map((line) => line.cursor))
  return [...older, ...newer.filter((line) => !known.has(line.cursor))]
}

const seconds = (text: string): number | undefined => {
  const value = Date.parse(text)
  return Number.isNaN(value) ? undefined : Math.floor(value / 1000)
}

/** The call's parameters; `before` and `after` are lines that are there already. */
export function paramsOf(filter: Filter, place: { before?: Line; after?: Line } = {}) {
  const [since, until] = [seconds(filter.since), seconds(filter.until)]
  const from = place.after ? Math.floor(place.after.time) : since
  const to = place.before ? Math.ceil(place.before.time) : until
  return {
    structured: true,
    ...(place.after ? {} : { lastentries: PAGE }),
    ...(filter.unit && { unit: filter.unit }),
    ...(filter.priority < 7 && { priority: `0..${filter.priority}` }),
    ...(from !== undefined && { since: from }),
    ...(to !== undefined && { until: to }),
  }
}

/** The lines that have all words. */
export function found(lines: readonly Line[], search: string): Line[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return [...lines]
  return lines.filter((line) => words.every((word) => line.text.toLowerCase().includes(word)))
}
