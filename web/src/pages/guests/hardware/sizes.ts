/** The call's parameters for what differs: what was emptied is deleted, what stays is not sent. */
export function changes(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Record<string, string> {
  const changed = Object.entries(after).filter(([key, value]) => value !== '' && value !== before[key])
  const gone = Object.keys(after).filter((key) => after[key] === '' && before[key] !== undefined)
  return { ...Object.fromEntries(changed), ...(gone.length > 0 ? { delete: gone.join(',') } : {}) }
}
