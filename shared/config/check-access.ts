/** Whoever others can reach asks for keys, and the keys are such. */
import { hash } from 'node:crypto'
import { FreshetError } from '@freshet/errors/errors.ts'
import { isLoopback } from './loopback.ts'
import type { Settings } from './schema.ts'

/** @throws CONFIG_INVALID */
export function checkPageAccess({ pageHost, pageKeys }: Settings['watchdog']): void {
  checkDoor({ host: pageHost, keys: pageKeys }, { host: 'watchdog.pageHost', keys: 'watchdog.pageKeys' })
}

/** @throws CONFIG_INVALID */
export function checkGatewayAccess({ host, keys, tls }: Settings['gateway']): void {
  checkDoor({ host, keys }, { host: 'gateway.host', keys: 'gateway.keys' })
  const seen = new Map<string, string>()
  for (const [at, { name, sha256, burst, requestsPerSecond }] of keys.entries()) {
    if (seen.has(sha256)) refuse(`gateway.keys.${at}`, `${seen.get(sha256)} and ${name} have the same key`)
    if (burst !== undefined && requestsPerSecond === undefined)
      refuse(`gateway.keys.${at}`, `the key of ${name} has a burst, but no requestsPerSecond`)
    seen.set(sha256, name)
  }
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined))
    refuse('gateway.tls', 'certFile and keyFile go together')
}

interface Door {
  readonly host: string
  readonly keys: readonly { readonly name: string; readonly sha256: string }[]
}

const NOTHING = hash('sha256', '')

/** @param settings what its parts are called */
function checkDoor({ host, keys }: Door, settings: Readonly<Record<keyof Door, string>>): void {
  if (!isLoopback(host) && keys.length === 0)
    refuse(settings.host, `${host} is reachable from outside, so ${settings.keys} must name at least one key`)
  for (const [at, { name, sha256 }] of keys.entries())
    if (sha256 === NOTHING) refuse(`${settings.keys}.${at}`, `the key of ${name} is the hash of nothing`)
}

function refuse(setting: string, why: string): never {
  throw new FreshetError('CONFIG_INVALID', `${setting}: ${why}`)
}
