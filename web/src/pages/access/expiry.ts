/** Days at whose end accounts and tokens end: the API counts seconds, people name days. 0 is never. */

/** `2027-01-31` in the browser's time zone; '' for never. */
export function dayOf(seconds: number): string {
  if (seconds <= 0) return ''
  const date = new Date(seconds * 1000)
  const part = (value: number) => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${part(date.getMonth() + 1)}-${part(date.getDate())}`
}

/** The last second of a day; 0 for no day. */
export function endOf(day: string): number {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
  if (!year || !month || !date) return 0
  return Math.floor(new Date(year, month - 1, date, 23, 59, 59).getTime() / 1000)
}

export const isOver = (seconds: number, now = Date.now() / 1000): boolean => seconds > 0 && seconds <= now
