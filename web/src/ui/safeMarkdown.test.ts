// @vitest-environment jsdom
import { expect, test } from 'vitest'
import { rendered } from '@/ui/safeMarkdown'

test('Markdown becomes HTML', () => {
  expect(rendered('**bold**').trim()).toBe('<p><strong>bold</strong></p>')
  expect(rendered('# Title')).toContain('<h3>Title</h3>')
})

test.each([
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '[x](javascript:alert(1))',
  '<style>body{display:none}</style>',
  '<form action="https://example.org"><input></form>',
  '<p style="position:fixed">over all</p>',
])('%s is harmless', (text) => {
  expect(rendered(text)).not.toMatch(/script|onerror|style|<form|<input|position/)
})

test('links learn nothing of the page', () => {
  expect(rendered('[x](https://example.org)')).toContain('rel="noopener noreferrer"')
})
