/** Days as people say them. */
import i18next from 'i18next'

/** `today`, `yesterday`, `Monday, November 16, 2026` of `2026-11-16`. */
export function day(text: string, now = new Date()): string {
  const language = i18next.language === 'zh' ? 'zh-CN' : i18next.language || 'en'
  const date = new Date(`${text}T00:00:00`)
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate())
  const passed = Math.round((midnight.getTime() - date.getTime()) / 86_400_000)
  if (passed === 0 || passed === 1) {
    const said = new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(-passed, 'day')
    return said.charAt(0).toLocaleUpperCase(language) + said.slice(1)
  }
  return date.toLocaleDateString(language, { dateStyle: 'full' })
}

/** `17:04:12` of Unix seconds. */
export function clock(seconds: number): string {
  const language = i18next.language === 'zh' ? 'zh-CN' : i18next.language || 'en'
  return new Date(seconds * 1000).toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit', hour12: false })
}
