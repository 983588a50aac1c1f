import { useQuery } from '@tanstack/react-query'
import { call } from '@/api/client'
import type { Guest } from '@/live/types'
import { explain } from '@/ui/act'

const ASKED = [
  'get-osinfo',
  'get-host-name',
  'get-timezone',
  'get-time',
  'get-fsinfo',
  'network-get-interfaces',
  'get-users',
] as const
type Question = 'info' | (typeof ASKED)[number]

/** What the agent said, or why it did not, by question. */
export type Answers = Partial<Record<Question, { answer?: unknown; error?: string }>>

/**
 * What the agent knows. It answers one question after another, so it is asked so; one that does not answer the first is
 * not asked any more. Nothing tells when its answers change: they are asked for when looked at.
 */
export function useAgent(guest: Guest, enabled: boolean) {
  const { node, vmid } = guest
  const params = { node, vmid }
  return useQuery({
    queryKey: ['GET /nodes/{node}/qemu/{vmid}/agent', params, 'all'],
    queryFn: async ({ signal }): Promise<Answers> => {
      const told: Answers = {
        info: { answer: await call('GET /nodes/{node}/qemu/{vmid}/agent/info', params, { signal }) },
      }
      for (const question of ASKED) {
        try {
          told[question] = {
            answer: await call(`GET /nodes/{node}/qemu/{vmid}/agent/${question}`, params, { signal }),
          }
        } catch (error) {
          if (signal.aborted) throw error
          told[question] = { error: explain(error) }
        }
      }
      return told
    },
    staleTime: 15_000,
    enabled,
  })
}
