import { expect, test } from 'vitest'
import { type Toast, withTask } from '@/ui/toasts'

function begun(...times: number[]): { toasts: readonly Toast[]; gone: readonly string[] } {
  let toasts: readonly Toast[] = []
  let gone: readonly string[] = []
  times.forEach((at, number) => {
    const next = withTask(toasts, { upid: `u${number}`, title: 't', at })
    toasts = next.toasts
    gone = [...gone, ...next.gone]
  })
  return { toasts, gone }
}

test('a task or two have toasts of their own', () => {
  expect(begun(0, 100).toasts.map((toast) => toast.id)).toEqual(['u0', 'u1'])
})

test('many that are begun in one go share one, and it takes in those that follow', () => {
  const { toasts, gone } = begun(0, 10, 20, 30, 1500)
  expect(toasts.length).toBe(1)
  expect(toasts[0]?.tasks.length).toBe(5)
  expect(gone).toEqual(['u0', 'u1'])
})

test('what was begun long before stays apart', () => {
  expect(begun(0, 5000, 5010, 5020).toasts.map((toast) => toast.tasks.length)).toEqual([1, 3])
})
