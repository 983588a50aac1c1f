/** Numbers and times as people read them, in the page's language. */
import i18next from 'i18next'

const locale = (): string => (i18next.language === 'zh' ? 'zh-CN' : i18next.language || 'en')
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

export function bytes(value: number): string {
  let unit = 0
  let rest = value
  while (rest >= 1024 && unit < UNITS.length - 1) {
    rest /= 1024
    unit += 1
  }
  const digits = unit === 0 || rest >= 100 ? 0 : rest >= 10 ? 1 : 2
  return `${rest.toLocaleString(locale(), { maximumFractionDigits: digits })} ${UNITS[unit]}`
}

export const percent = (fraction: number, digits = 0): string =>
  fraction.toLocaleString(locale(), { style: 'percent', maximumFractionDigits: digits })

export const number = (value: number, digits = 2): string =>
  value.toLocaleString(locale(), { maximumFractionDigits: digits })

/** `3 d 04:05:06`, `04:05:06`. */
export function duration(seconds: number): string {
  const days = Math.floor(seconds / 86400)
  const rest = [Math.floor((seconds % 86400) / 3600), Math.floor((seconds % 3600) / 60), Math.floor(seconds % 60)]
  const clock = rest.map((part) => String(part).padStart(2, '0')).join(':')
  return days > 0 ? `${days} d ${clock}` : clock
}

/** A moment from Unix seconds. */
export const moment = (seconds: number): string =>
  new Date(seconds * 1000).toLocaleString(locale(), { dateStyle: 'medium', timeStyle: 'medium' })

/** `17:05`. */
export const clockTime = (seconds: number): string =>
  new Date(seconds * 1000).toLocaleTimeString(locale(), { hour: '2-digit', minute: '2-digit', hour12: false })

/** `Nov 23`. */
export const day = (seconds: number): string =>
  new Date(seconds * 1000).toLocaleDateString(locale(), { month: 'short', day: 'numeric' })

/** `5 minutes ago`. */
export function ago(seconds: number, now = Date.now() / 1000): string {
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' })
  const passed = Math.max(0, now - seconds)
  if (passed < 60) return relative.format(-Math.round(passed), 'second')
  if (passed < 3600) return relative.format(-Math.round(passed / 60), 'minute')
  if (passed < 86400) return relative.format(-Math.round(passed / 3600), 'hour')
  return relative.format(-Math.round(passed / 86400), 'day')
}
