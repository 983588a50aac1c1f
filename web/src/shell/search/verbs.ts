/** Commands for one guest: `start 100`, `con web`. */
import i18next from 'i18next'
import { VERBS } from '@/shell/guest'

export const COMMANDS = [...VERBS, 'console'] as const
export type Command = (typeof COMMANDS)[number]

export const commandName = (command: Command): string =>
  i18next.t(command === 'console' ? 'shell:tree.console' : `shell:verbs.${command}`)

/** The commands that a text begins with, whole or in part, and what they are for; null for other texts. */
export function verbIn(text: string): { verbs: Command[]; rest: string } | null {
  const [, first = '', rest = ''] = /^(\S+)\s+(\S.*)$/.exec(text.trim()) ?? []
  if (!rest) return null
  const wanted = first.toLowerCase()
  const verbs = COMMANDS.filter((command) => {
    const name = i18next.isInitialized ? commandName(command).toLowerCase() : command
    return command.startsWith(wanted) || name.startsWith(wanted)
  })
  return verbs.length > 0 ? { verbs, rest } : null
}
