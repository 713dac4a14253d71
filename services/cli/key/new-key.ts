import { hash, randomBytes } from 'node:crypto'
import type { ApiKey } from '@freshet/config/gateway-access.ts'

/** Whoever finds one in a log or a repository, knows what it opens. */
const PREFIX = 'freshet_'
const RANDOM_BYTES = 32

interface NewKey {
  /** To be given to its holder; it is kept nowhere. */
  readonly key: string
  /** For gateway.keys. */
  readonly entry: ApiKey
}

export function newKey(entry: Omit<ApiKey, 'sha256'>): NewKey {
  const key = PREFIX + randomBytes(RANDOM_BYTES).toString('base64url')
  const { name, ...rest } = entry
  return { key, entry: { name, sha256: hash('sha256', key), ...rest } }
}

/** The entry as YAML, to be pasted below `gateway: keys:`, or `watchdog: pageKeys:`. */
export function entryAsYaml(entry: Partial<ApiKey>): string {
  const lines = Object.entries(entry)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  return `    - ${lines.join('\n      ')}`
}
