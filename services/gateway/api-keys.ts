import { Buffer } from 'node:buffer'
import { hash, timingSafeEqual } from 'node:crypto'
import type { Settings } from '@freshet/config/schema.ts'

type ApiKey = Settings['gateway']['keys'][number]

/** Keys that callers may show. Only their hashes are known here. */
export class ApiKeys {
  readonly #keys: readonly { readonly name: string; readonly sha256: Buffer }[]

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map(({ name, sha256 }) => ({ name, sha256: Buffer.from(sha256, 'hex') }))
  }

  get areNeeded(): boolean {
    return this.#keys.length > 0
  }

  /**
   * @returns the name of the key's holder; undefined when the key is none of ours. Takes equally long for every key.
   */
  holderOf(headers: Headers): string | undefined {
    const shown = shownKey(headers)
    if (shown === undefined) return undefined
    const sha256 = hash('sha256', shown, 'buffer')
    let holder: string | undefined
    for (const key of this.#keys) if (timingSafeEqual(key.sha256, sha256)) holder = key.name
    return holder
  }
}

function shownKey(headers: Headers): string | undefined {
  const bearer = /^bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')
  return bearer?.[1] ?? headers.get('x-api-key') ?? undefined
}
