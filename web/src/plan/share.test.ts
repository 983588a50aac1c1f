import { describe, expect, it } from 'vitest'
import { approvalLink, askedBy, changedBetween, decodeRequest, encodeRequest, shownParams } from '@/plan/share'

const REQUEST = {
  operation: 'PUT /nodes/{node}/qemu/{vmid}/config' as const,
  params: { node: 'n1', vmid: 100, description: 'größer 更大 ?/+' },
  asked: { user: 'anna@pve', time: 5, reads: { 'guest/100': '7' } },
}
const packed = (value: unknown): string => encodeRequest(value as typeof REQUEST)

describe('links', () => {
  it('come back as they were, safe in a URL', () => {
    const link = approvalLink('https://h:8006', REQUEST)
    expect(link).toMatch(/^https:\/\/h:8006\/approve#[\w-]+$/)
    expect(decodeRequest(new URL(link).hash)).toEqual(REQUEST)
  })

  it('tell all that they ask for beside the path', () => {
    const params = { node: 'n1', vmid: 100, memory: 4096, name: '', sockets: null, disks: ['a', { b: 1 }] }
    expect(shownParams({ ...REQUEST, params })).toEqual([
      ['memory', '4096'],
      ['name', '""'],
      ['sockets', 'null'],
      ['disks', '["a",{"b":1}]'],
    ])
  })

  it('that are broken or change nothing are refused', () => {
    for (const text of ['', '#', '#%%%', `#${packed(REQUEST).slice(0, -9)}`]) expect(decodeRequest(text)).toBeNull()
    expect(decodeRequest(packed({ ...REQUEST, operation: 'GET /nodes' }))).toBeNull()
    expect(decodeRequest(packed({ ...REQUEST, operation: 'PUT https://elsewhere/ x' }))).toBeNull()
    expect(decodeRequest(packed({ ...REQUEST, params: [] }))).toBeNull()
    expect(decodeRequest(packed({ ...REQUEST, asked: 'somebody' }))).toBeNull()
    expect(decodeRequest(packed({ ...REQUEST, params: { node: 'n1' } }))).toBeNull()
  })
})

describe('tokens', () => {
  const token = (reads: Record<string, string>) => `${encodeRequest({ user: 'anna@pve', time: 5, reads } as never)}.mac`

  it('give away nothing of what they draw', () => {
    const drawn = `${encodeRequest({ user: 'anna@pve', time: 5, reads: {}, draws: { secret: 's' } } as never)}.mac`
    expect(askedBy(drawn)).toEqual({ user: 'anna@pve', time: 5, reads: {} })
  })

  it('say who planned and what has changed since', () => {
    const [first, second] = [askedBy(token({ a: '1', b: '2' })), askedBy(token({ a: '1', b: '3', c: '4' }))]
    expect(first).toEqual({ user: 'anna@pve', time: 5, reads: { a: '1', b: '2' } })
    expect(first && second && changedBetween(first, second)).toEqual(['b'])
    expect(askedBy('nonsense')).toBeNull()
  })
})
