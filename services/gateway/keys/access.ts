import type { ApiKey, Scope } from '@freshet/config/gateway-access.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { ApiKeys, type Holder } from './api-keys.ts'
import { HostNames } from './host-names.ts'
import { RateLimited } from './rate-limited.ts'
import { takeLate, takeToken } from './token-bucket.ts'

/** Who asks, as far as it matters. */
export interface Caller {
  /** Of the key; null where none is needed. */
  readonly name: string | null
  /** Whether it may ask for this too. */
  may(scope: Scope): boolean
}

/** Whoever reaches the loopback of this machine may do anything there. */
const ANYBODY: Caller = { name: null, may: () => true }

/** Why somebody was not let in. */
export type Refusal = 'key' | 'scope' | 'rate' | 'host'

interface Surroundings {
  /** Milliseconds of a clock that never runs backwards. */
  readonly nowMs?: () => number
  readonly onRefused?: (why: Refusal) => void
}

/** Requests that were let in, by the key's place in gateway.keys. */
export type Spent = Readonly<Record<number, number>>

/** Lets requests in: by their key where keys are configured, else by the name that they call this machine. */
export class Access {
  readonly #keys: ApiKeys
  readonly #hosts: HostNames
  readonly #nowMs: () => number
  readonly #onRefused: (why: Refusal) => void
  readonly #fullAtMs = new Map<Holder, number>()
  #spent: Record<number, number> | undefined

  constructor(
    { keys, hosts }: { readonly keys: readonly ApiKey[]; readonly hosts: readonly string[] },
    { nowMs = () => performance.now(), onRefused = () => {} }: Surroundings = {},
  ) {
    this.#keys = new ApiKeys(keys)
    this.#hosts = new HostNames(hosts)
    this.#nowMs = nowMs
    this.#onRefused = onRefused
  }

  /**
   * Takes one request from the key's allowance. The key is looked for in the headers alone: addresses end in logs.
   * @param scope what is asked for; null where any key will do
   * @throws API_KEY_REFUSED, SCOPE_MISSING, RateLimited, HOST_REFUSED
   */
  admit(headers: Pick<Headers, 'get'>, scope: Scope | null): Caller {
    if (!this.#keys.areNeeded) {
      if (this.#hosts.has(headers.get('host'))) return ANYBODY
      throw this.#refusal(
        'host',
        new FreshetError('HOST_REFUSED', 'without keys, only loopback is asked for'),
      )
    }
    const shown = shownKey(headers)
    const holder = shown === undefined ? undefined : this.#keys.holderOf(shown)
    if (holder === undefined)
      throw this.#refusal('key', new FreshetError('API_KEY_REFUSED', 'no key, or none of ours'))
    if (scope !== null && !holder.scopes.has(scope))
      throw this.#refusal(
        'scope',
        new FreshetError('SCOPE_MISSING', `the key of ${holder.name} is not for ${scope}`),
      )
    this.#take(holder)
    return { name: holder.name, may: (other) => holder.scopes.has(other) }
  }

  #take(holder: Holder): void {
    if (holder.limit === undefined) return
    const taken = takeToken(this.#fullAtMs.get(holder) ?? 0, this.#nowMs(), holder.limit)
    this.#fullAtMs.set(holder, taken.fullAtMs)
    if (!taken.isAllowed)
      throw this.#refusal('rate', new RateLimited(holder.name, holder.limit, taken.retryAfterMs))
    this.#spent ??= {}
    this.#spent[holder.at] = (this.#spent[holder.at] ?? 0) + 1
  }

  /** Of keys that have a rate, since it was last asked; undefined when there is nothing to tell. */
  takeSpent(): Spent | undefined {
    const spent = this.#spent
    this.#spent = undefined
    return spent
  }

  /** What another process with the same keys let in counts here, too. */
  spendElsewhere(spent: Spent): void {
    for (const [at, requests] of Object.entries(spent)) {
      const holder = this.#keys.holderAt(Number(at))
      if (holder?.limit === undefined) continue
      const fullAtMs = this.#fullAtMs.get(holder) ?? 0
      this.#fullAtMs.set(holder, takeLate(fullAtMs, this.#nowMs(), requests, holder.limit))
    }
  }

  #refusal(why: Refusal, error: FreshetError): FreshetError {
    this.#onRefused(why)
    return error
  }
}

function shownKey(headers: Pick<Headers, 'get'>): string | undefined {
  const bearer = /^bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')
  return bearer?.[1] ?? headers.get('x-api-key') ?? undefined
}
