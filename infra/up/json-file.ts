import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** undefined when there is no such file, or no JSON in it. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A reader sees the old file or the new one, never a half. Only its owner may read it: it holds keys. */
export function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true })
  const aside = `${path}.${randomUUID()}`
  writeFileSync(aside, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  renameSync(aside, path)
}
