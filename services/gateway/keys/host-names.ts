import { isLoopback } from '@freshet/config/loopback.ts'

/** Names that are remembered as good; callers without a key have one or two. */
const MAX_KNOWN = 16

/**
 * What a gateway without keys may be called. A page of any site can let its own name point to 127.0.0.1, and would then
 * read answers in the browser of whoever works on this machine; the name still stands in the `host` header.
 */
export class HostNames {
  readonly #names: ReadonlySet<string>
  readonly #known = new Set<string>()

  /** @param names without ports; loopback is always good */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map((name) => name.toLowerCase()))
  }

  /**
   * @param host as it stands in the header; null when a program asks without one, which no browser does
   */
  has(host: string | null): boolean {
    if (host === null || this.#known.has(host)) return true
    const name = host
      .toLowerCase()
      .replace(/:\d*$/, '')
      .replace(/^\[(.*)\]$/, '$1')
    if (!isLoopback(name) && !this.#names.has(name)) return false
    if (this.#known.size < MAX_KNOWN) this.#known.add(host)
    return true
  }
}
