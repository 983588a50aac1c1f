/** Which consoles a configuration gives a guest. */

export type ConsoleKind = 'vnc' | 'serial'
export const SERIALS = ['serial0', 'serial1', 'serial2', 'serial3'] as const
export type SerialPort = (typeof SERIALS)[number]

export interface Consoles {
  /** Ports that a terminal can be opened on. */
  ports: readonly SerialPort[]
  /** Whether there is a graphical display. */
  display: boolean
  best: ConsoleKind
}

export function consolesOf(config: Record<string, unknown>): Consoles {
  const ports = SERIALS.filter((name) => config[name] === 'socket')
  const vga =
    String(config.vga ?? '')
      .split(',')[0]
      ?.replace(/^type=/, '') ?? ''
  const display = !(vga === 'none' || (SERIALS as readonly string[]).includes(vga))
  return { ports, display, best: !display && ports.length > 0 ? 'serial' : 'vnc' }
}
