import { hash } from 'node:crypto'
import { FreshetError } from '@freshet/errors/errors.ts'
import { isLoopback } from './loopback.ts'
import type { Settings } from './schema.ts'

const NOTHING = hash('sha256', '')

/**
 * A status page that others can reach asks for a key, and the keys are such.
 * @throws CONFIG_INVALID
 */
export function checkPageAccess({ pageHost, pageKeys }: Settings['watchdog']): void {
  const wrong = (setting: string, why: string) => {
    throw new FreshetError('CONFIG_INVALID', `watchdog.${setting}: ${why}`)
  }
  if (!isLoopback(pageHost) && pageKeys.length === 0)
    wrong(
      'pageHost',
      `${pageHost} is reachable from outside, so watchdog.pageKeys must name at least one key`,
    )
  for (const [at, { name, sha256 }] of pageKeys.entries())
    if (sha256 === NOTHING) wrong(`pageKeys.${at}`, `the key of ${name} is the hash of nothing`)
}

/**
 * A gateway that others can reach asks for keys, and the keys are such.
 * @throws CONFIG_INVALID
 */
export function checkAccess({ host, keys, tls }: Settings['gateway']): void {
  const wrong = (setting: string, why: string) => {
    throw new FreshetError('CONFIG_INVALID', `gateway.${setting}: ${why}`)
  }
  if (!isLoopback(host) && keys.length === 0)
    wrong('host', `${host} is reachable from outside, so gateway.keys must name at least one key`)
  const seen = new Map<string, string>()
  for (const [at, { name, sha256, burst, requestsPerSecond }] of keys.entries()) {
    if (sha256 === NOTHING) wrong(`keys.${at}`, `the key of ${name} is the hash of nothing`)
    if (seen.has(sha256)) wrong(`keys.${at}`, `${seen.get(sha256)} and ${name} have the same key`)
    if (burst !== undefined && requestsPerSecond === undefined)
      wrong(`keys.${at}`, `the key of ${name} has a burst, but no requestsPerSecond`)
    seen.set(sha256, name)
  }
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined))
    wrong('tls', 'certFile and keyFile go together')
}
