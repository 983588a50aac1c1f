/** A node's figures as the event stream tells of them, while its page is open. */
import { useEffect, useState } from 'react'
import { onEvent } from '@/live/stream'
import type { Point } from '@/ui/chartData'

const KEPT = 720

export interface NodeChange {
  kind: string
  id: string
  node?: Record<string, unknown>
}

const known = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

/** What is told of a node, under the names that its history has. */
export function pointOf(told: Record<string, unknown>, time: number): Point {
  return { time, cpu: known(told.cpu), memused: known(told.mem), memtotal: known(told.maxmem) }
}

export function useLiveNode(node: string): readonly Point[] {
  const [points, setPoints] = useState<readonly Point[]>([])
  useEffect(() => {
    let last = 0
    setPoints([])
    return onEvent((event) => {
      if (event.kind !== 'status' || !Array.isArray(event.data)) return
      const found = (event.data as NodeChange[]).find(({ kind, id }) => kind === 'node' && id === node)
      const time = Date.now() / 1000
      if (!found?.node || time - last < 2) return
      last = time
      const point = pointOf(found.node, time)
      setPoints((all) => [...all.slice(-KEPT), point])
    })
  }, [node])
  return points
}
