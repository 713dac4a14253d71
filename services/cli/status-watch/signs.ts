/** What several parts of the picture are made of. */
import type { Level } from '@freshet/watchdog/page/view/page-state.ts'
import { type Part, type Style, styled } from './line.ts'

export const STYLES: Readonly<Record<Level, Style>> = {
  well: 'good',
  warning: 'warning',
  critical: 'critical',
  unknown: 'soft',
}

const MARKS: Readonly<Record<Level, string>> = { well: '●', warning: '◆', critical: '■', unknown: '○' }

export function mark(level: Level): Part {
  return styled(STYLES[level], MARKS[level])
}

export function gauge(share: number, width: number): string {
  const full = Math.round(Math.max(0, Math.min(1, share)) * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}

/** Without the signs around `code`. */
export function plain(text: string): string {
  return text.replaceAll('`', '')
}
