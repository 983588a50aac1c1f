/** How terminals look; remembered by the browser. */
import type { ITheme } from '@xterm/xterm'
import { useState } from 'react'

export interface TerminalLook {
  fontSize: number
  theme: 'dark' | 'light'
}

const KEY = 'corral.terminal'
export const LEAST = 9
export const MOST = 28

export function lookOf(stored: string | null): TerminalLook {
  try {
    const { fontSize, theme } = JSON.parse(stored ?? '{}') as Partial<TerminalLook>
    return {
      fontSize: typeof fontSize === 'number' ? Math.min(MOST, Math.max(LEAST, fontSize)) : 14,
      theme: theme === 'light' ? 'light' : 'dark',
    }
  } catch {
    return { fontSize: 14, theme: 'dark' }
  }
}

export function useTerminalLook(): [TerminalLook, (change: Partial<TerminalLook>) => void] {
  const [look, setLook] = useState(() => lookOf(localStorage.getItem(KEY)))
  return [
    look,
    (change) => {
      const next = lookOf(JSON.stringify({ ...look, ...change }))
      localStorage.setItem(KEY, JSON.stringify(next))
      setLook(next)
    },
  ]
}

// Sixteen colours of which each is legible on the background.
const DARK: ITheme = {
  background: '#0d1110',
  foreground: '#e3e9e8',
  cursor: '#45bbac',
  selectionBackground: '#2f5a54',
  black: '#4a5452',
  red: '#ff8f86',
  green: '#4cc98a',
  yellow: '#f0b455',
  blue: '#82b4ff',
  magenta: '#d59bf2',
  cyan: '#5fd0c5',
  white: '#e3e9e8',
  brightBlack: '#97a3a0',
  brightRed: '#ffb0a9',
  brightGreen: '#7fe0ad',
  brightYellow: '#ffd28a',
  brightBlue: '#aacdff',
  brightMagenta: '#e6c2fa',
  brightCyan: '#93e6dd',
  brightWhite: '#ffffff',
}

const LIGHT: ITheme = {
  background: '#ffffff',
  foreground: '#1b2221',
  cursor: '#0f766e',
  selectionBackground: '#c4e8e1',
  black: '#1b2221',
  red: '#b3261e',
  green: '#0b7a3e',
  yellow: '#8a5300',
  blue: '#1d5fb8',
  magenta: '#8a3fae',
  cyan: '#0f766e',
  white: '#5b6664',
  brightBlack: '#56615f',
  brightRed: '#b3261e',
  brightGreen: '#0b7a3e',
  brightYellow: '#8a5300',
  brightBlue: '#1d5fb8',
  brightMagenta: '#8a3fae',
  brightCyan: '#0f766e',
  brightWhite: '#1b2221',
}

export const themeOf = (name: TerminalLook['theme']): ITheme => (name === 'dark' ? DARK : LIGHT)
