import { Buffer } from 'node:buffer'
import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isLoopback } from '@freshet/config/loopback.ts'
import type { Settings } from '@freshet/config/schema.ts'

/** Why somebody is not let in: `host` is a foreign name for this machine. */
export type Refusal = 'key' | 'host'

/**
 * Lets in whoever shows one of the keys; without keys, whoever calls this machine by a name of its own: a page of any
 * site can let its name point to 127.0.0.1, and would read the page in the browser of whoever works here.
 */
export class PageAccess {
  readonly #keys: readonly Buffer[]

  constructor(keys: Settings['watchdog']['pageKeys']) {
    this.#keys = keys.map(({ sha256 }) => Buffer.from(sha256, 'hex'))
  }

  /** @returns undefined when it may come in */
  refusal({
    authorization,
    host,
    'x-api-key': apiKey,
  }: Pick<IncomingHttpHeaders, 'authorization' | 'host'> & {
    'x-api-key'?: string | string[] | undefined
  }): Refusal | undefined {
    if (this.#keys.length === 0) return host === undefined || isOurName(host) ? undefined : 'host'
    const shown = shownKey(authorization) ?? (typeof apiKey === 'string' ? apiKey : undefined)
    if (shown === undefined) return 'key'
    const sha256 = hash('sha256', shown, 'buffer')
    // every key is compared, so that it takes equally long for each
    const matches = this.#keys.filter((key) => timingSafeEqual(key, sha256))
    return matches.length > 0 ? undefined : 'key'
  }
}

/** Programs send `Bearer <key>`; browsers, which ask for it in a window of their own, `Basic <any name:key>`. */
function shownKey(authorization = ''): string | undefined {
  const [, scheme = '', value = ''] = /^(bearer|basic) +(\S+)$/i.exec(authorization) ?? []
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme === '') return undefined
  const text = Buffer.from(value, 'base64').toString()
  return text.slice(text.indexOf(':') + 1)
}

function isOurName(host: string): boolean {
  return isLoopback(
    host
      .toLowerCase()
      .replace(/:\d*$/, '')
      .replace(/^\[(.*)\]$/, '$1'),
  )
}
