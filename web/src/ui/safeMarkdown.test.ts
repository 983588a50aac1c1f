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

test.each([
  ['a dialog over the page', '<dialog open>Log in again</dialog>', 'dialog'],
  ['what another part of the page takes for its own', '<p data-autofocus role="alert" aria-label="x">x</p>', 'data-'],
  ['a popover', '<div popover>x</div>', 'popover'],
  ['a place in a picture that leads away', '<map><area href="https://example.org"></map>', 'area'],
  ['a film', '<video src="/x" autoplay></video>', 'video'],
])('%s is left out', (_, text, word) => {
  expect(rendered(text)).not.toContain(word)
})

test('what people write in notes stays', () => {
  const text =
    '<div align="center"><img src="/logo.png" alt="Logo" width="40"></div>\n\n|a|b|\n|-|-:|\n|1|~~2~~|\n\n3. `x`'
  const html = rendered(text)
  for (const part of ['<div align="center">', 'alt="Logo"', 'width="40"', '<td align="right"><del>2', '<ol start="3">'])
    expect(html).toContain(part)
})
