/** Rows as a file for spreadsheets: RFC 4180, in UTF-8 with a mark that they look for. */
import { textOf } from './rows'
import type { Column, Value } from './types'

// A cell that begins so is taken for a formula.
const FORMULA = /^[=+\-@\t\r]/

/** A cell. Texts that a spreadsheet would execute are preceded by an apostrophe; numbers are not texts. */
export function csvCell(value: Value): string {
  const text = textOf(value)
  const safe = typeof value !== 'number' && FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export function csv<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [columns.map((column) => csvCell(column.header))]
  for (const row of rows) lines.push(columns.map((column) => csvCell(column.value(row))))
  return `\uFEFF${lines.map((cells) => cells.join(',')).join('\r\n')}\r\n`
}

/** Let the browser save a text. */
export function download(name: string, content: string, type = 'text/csv;charset=utf-8'): void {
  const url = URL.createObjectURL(new Blob([content], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  window.setTimeout(() => URL.revokeObjectURL(url), 1000)
}
