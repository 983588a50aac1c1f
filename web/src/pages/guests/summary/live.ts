/** A guest's figures as the event stream tells of them, while its page is open. */
import { useEffect, useState } from 'react'
import { onEvent } from '@/live/stream'
import type { Point } from '@/ui/chartData'

const KEPT = 720
const COUNTERS = ['netin', 'netout', 'diskread', 'diskwrite'] as const

export type Reading = Record<string, unknown>

const known = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

/** A point from what is told now and what was told before: counters become bytes in a second. */
export function pointOf(now: Reading, time: number, before?: { reading: Reading; time: number }): Point {
  const point: Point = { time, cpu: known(now.cpu), mem: known(now.mem) }
  const passed = before ? time - before.time : 0
  const restarted = before ? Number(now.uptime ?? 0) < Number(before.reading.uptime ?? 0) : false
  for (const name of COUNTERS) {
    const [value, last] = [known(now[name]), known(before?.reading[name])]
    if (value === null || last === null || passed < 1 || restarted || value < last) point[name] = null
    else point[name] = (value - last) / passed
  }
  return point
}

interface StatusChange {
  kind: string
  id: string
  guest?: Reading
}

export function useLivePoints(vmid: number): readonly Point[] {
  const [points, setPoints] = useState<readonly Point[]>([])
  useEffect(() => {
    let before: { reading: Reading; time: number } | undefined
    setPoints([])
    return onEvent((event) => {
      if (event.kind !== 'status' || !Array.isArray(event.data)) return
      const found = (event.data as StatusChange[]).find(({ kind, id }) => kind === 'guest' && id === String(vmid))
      if (!found?.guest || found.guest.cpu === undefined) return
      const time = Date.now() / 1000
      if (before && time - before.time < 2) return
      const point = pointOf(found.guest, time, before)
      before = { reading: found.guest, time }
      setPoints((all) => [...all.slice(-KEPT), point])
    })
  }, [vmid])
  return points
}
