import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join, resolve } from 'node:path'

const TAIL_LINES = 15
const TAIL_COLUMNS = 200

/** The log of the run before is kept, for whoever asks why the server died. */
export function freshLog(home: string, name: string): string {
  const folder = join(resolve(home), 'logs')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}.log`)
  if (existsSync(path)) renameSync(path, join(folder, `${name}.before.log`))
  return path
}

/** The last lines, indented, for an error to show. */
export function logTail(path: string): string {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  return lines
    .slice(-TAIL_LINES)
    .map((line) => `  ${line.slice(0, TAIL_COLUMNS)}`)
    .join('\n')
}
