import { expect, it } from 'vitest'
import { brief } from '@/plan/brief'

it('says what an operation does', () => {
  expect(brief('Set options, waiting for the end: volumes are made.\nMore.')).toBe('Set options, waiting for the end')
  expect(brief('设置选项：立即生效。')).toBe('设置选项')
  expect(brief('Create a 1.5 GB file.')).toBe('Create a 1.5 GB file')
})
