/** How fast bytes go, and how long the rest will take. */

export interface Sample {
  /** Seconds. */
  at: number
  bytes: number
}

/** Bytes per second between the first and the last sample; 0 when that can't be told yet. */
export function speedOf(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples[samples.length - 1]]
  if (!first || !last || last.at <= first.at) return 0
  return Math.max(0, (last.bytes - first.bytes) / (last.at - first.at))
}

/** Seconds until all is sent; undefined when nothing moves. */
export const remaining = (total: number, sent: number, speed: number): number | undefined =>
  speed > 0 ? Math.max(0, total - sent) / speed : undefined
