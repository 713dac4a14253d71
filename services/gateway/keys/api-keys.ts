import { Buffer } from 'node:buffer'
import { hash, timingSafeEqual } from 'node:crypto'
import type { ApiKey, Scope } from '@freshet/config/gateway-access.ts'
import type { RateLimit } from './token-bucket.ts'

/** An entry of gateway.keys. */
export interface Holder {
  /** Its place there. */
  readonly at: number
  readonly name: string
  readonly scopes: ReadonlySet<Scope>
  readonly limit: RateLimit | undefined
}

/** Keys that callers may show. Only their hashes are known here. */
export class ApiKeys {
  readonly #keys: readonly { readonly sha256: Buffer; readonly holder: Holder }[]

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map((key, at) => ({
      sha256: Buffer.from(key.sha256, 'hex'),
      holder: holderOf(key, at),
    }))
  }

  get areNeeded(): boolean {
    return this.#keys.length > 0
  }

  /** By its place in gateway.keys. */
  holderAt(at: number): Holder | undefined {
    return this.#keys[at]?.holder
  }

  /** @returns undefined when the key is none of ours. Takes equally long for every key. */
  holderOf(shownKey: string): Holder | undefined {
    const sha256 = hash('sha256', shownKey, 'buffer')
    let found: Holder | undefined
    for (const key of this.#keys) if (timingSafeEqual(key.sha256, sha256)) found = key.holder
    return found
  }
}

function holderOf({ name, scopes, requestsPerSecond, burst }: ApiKey, at: number): Holder {
  const limit = requestsPerSecond && {
    perSecond: requestsPerSecond,
    burst: burst ?? Math.max(1, Math.ceil(requestsPerSecond)),
  }
  return { at, name, scopes: new Set(scopes), limit: limit || undefined }
}
