/** Figures, times and tables as people read them at a terminal; counts and durations as alerts say them are in watchdog/format.ts. */

/** A number in four digits. */
export function short(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** @param part of 1; small ones are not nothing */
export function percent(part: number): string {
  const rounded = (100 * part).toFixed(1)
  return part > 0 && rounded === '0.0' ? '<0.1 %' : `${rounded} %`
}

export function timeOf(atMs: number): string {
  return new Date(atMs).toISOString()
}

/** Names and errors come from elsewhere: nothing in them may steer the terminal. */
export function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ')
}

/**
 * Lines for a terminal, of which each is one line there. @returns them with an end of line behind each
 */
export function harmlessLines(lines: readonly string[]): string {
  return lines.map((line) => `${harmless(line)}\n`).join('')
}

/**
 * Lines of columns that stand below each other: texts to the left, numbers to the right.
 * @param rows of the same length each
 * @param textColumns how many of the first columns are texts
 */
export function table(rows: readonly (readonly string[])[], textColumns = 1): string[] {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]!.length))) ?? []
  const align = (cell: string, at: number) =>
    at < textColumns ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)
  return rows.map((row) => `  ${row.map(align).join('  ')}`.trimEnd())
}
