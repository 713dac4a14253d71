/** Lines of a terminal: cut to its width, coloured where it can. */
import { harmless } from '../text.ts'

export type Style = 'bold' | 'soft' | 'good' | 'warning' | 'critical' | 'accent'
/** Text, or text with a style. */
export type Part = string | { readonly text: string; readonly style: Style }
export type Line = readonly Part[]

const CODES: Readonly<Record<Style, number>> = {
  bold: 1,
  soft: 2,
  good: 32,
  warning: 33,
  critical: 31,
  accent: 36,
}

export function styled(style: Style, text: string): Part {
  return { style, text }
}

/** @param columns of the terminal; what does not fit ends with … */
export function render(line: Line, { columns, colours }: { columns: number; colours: boolean }): string {
  const parts = line.map((part) => (typeof part === 'string' ? { text: part, style: undefined } : part))
  let left = columns
  let rendered = ''
  for (const { text, style } of parts) {
    const signs = [...harmless(text)]
    const fits = signs.length <= left
    const shown = fits ? signs.join('') : `${signs.slice(0, Math.max(0, left - 1)).join('')}…`
    rendered += style === undefined || !colours ? shown : `\u001b[${CODES[style]}m${shown}\u001b[0m`
    left -= signs.length
    if (!fits) break
    if (left === 0) break
  }
  return rendered.trimEnd()
}
