import type { Cursor } from '@freshet/records/cursor.ts'

/**
 * Whether a name without an index is worth waiting for: a pattern says that indices come and go, and one that was captured
 * under this very name was there. Any other is more likely to be misspelt, and what was captured must not count as gone.
 */
export function isAwaited(name: string, cursors: ReadonlyMap<string, Cursor>): boolean {
  return isPattern(name) || wasCaptured(name, cursors)
}

/** Something behind the name was captured once. Under a pattern that may be anything: aliases match it too. */
export function wasCaptured(name: string, cursors: ReadonlyMap<string, Cursor>): boolean {
  if (isPattern(name)) return cursors.size > 0
  const names = name.split(',')
  return [...cursors.values()].some(({ index }) => names.includes(index))
}

function isPattern(name: string): boolean {
  return name.includes('*') || name === '_all'
}
