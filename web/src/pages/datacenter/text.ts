/** Options as the configuration writes them. */

/** An answer's value as the text that would set it: property strings come taken apart. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map(String).join(';')
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([key, part]) => `${key}=${Array.isArray(part) ? part.join(';') : String(part)}`)
      .join(',')
  return String(value)
}

/** All options, each as a text: what forms begin with. */
export const texts = (options: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [name, textOf(value)]))
