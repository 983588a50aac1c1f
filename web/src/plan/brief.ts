/** What an operation does, without the details behind the colon. */
export const brief = (text: string): string =>
  text
    .split('\n')[0]
    ?.split(/[:;：；。]|\.(?:\s|$)/)[0]
    ?.trim() ?? ''
