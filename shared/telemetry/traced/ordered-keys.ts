import { Buffer } from 'node:buffer'

/** An operator wants to see this document on its way, until then. */
export interface TraceOrder {
  readonly key: string
  /** Wall-clock milliseconds. */
  readonly untilMs: number
}

/** More documents than anybody looks at; beyond it the order that ends first gives way. */
const MAX_ORDERS = 100

interface Ordered {
  readonly key: Buffer
  readonly untilMs: number
}

/** The keys that somebody has named for tracing. Mostly there are none, and then nothing is looked at. */
export class OrderedKeys {
  readonly #orders = new Map<string, Ordered>()
  /** Which lengths in bytes there are: most keys need no second look. */
  #lengths = new Set<number>()
  readonly #listeners = new Set<(order: TraceOrder) => void>()
  /** When the first order ends. */
  #nextEndMs = Number.POSITIVE_INFINITY

  get isEmpty(): boolean {
    return this.#orders.size === 0
  }

  /** @param listener is told of every order from now on. */
  onPut(listener: (order: TraceOrder) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) }
  }

  /** One order a key: the last word counts. One that is over by now ends it. */
  put({ key, untilMs }: TraceOrder, nowMs: number): void {
    this.#orders.delete(key)
    if (untilMs > nowMs) this.#orders.set(key, { key: Buffer.from(key), untilMs })
    if (this.#orders.size > MAX_ORDERS) this.#orders.delete(this.list()[0]!.key)
    this.#lookAgain()
    for (const listener of this.#listeners) listener({ key, untilMs })
  }

  /** @returns whether any is left at this time. To be asked once a batch, before `has`. */
  areAny(nowMs: number): boolean {
    if (this.#orders.size === 0) return false
    if (nowMs >= this.#nextEndMs) {
      for (const [key, { untilMs }] of this.#orders) if (nowMs >= untilMs) this.#orders.delete(key)
      this.#lookAgain()
    }
    return this.#orders.size > 0
  }

  /** @param end of the key's UTF-8 bytes, exclusive. */
  has(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#lengths.has(end - start)) return false
    for (const { key } of this.#orders.values()) if (isSame(key, bytes, start, end)) return true
    return false
  }

  hasText(key: string): boolean {
    return this.#orders.has(key)
  }

  /** The one that ends first, first. */
  list(): TraceOrder[] {
    const orders = [...this.#orders].map(([key, { untilMs }]) => ({ key, untilMs }))
    return orders.sort((a, b) => a.untilMs - b.untilMs)
  }

  #lookAgain(): void {
    const orders = [...this.#orders.values()]
    this.#lengths = new Set(orders.map(({ key }) => key.length))
    this.#nextEndMs = Math.min(...orders.map(({ untilMs }) => untilMs))
  }
}

/** From the end: keys of one index begin alike. */
function isSame(key: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false
  for (let at = key.length - 1; at >= 0; at--) if (key[at] !== bytes[start + at]) return false
  return true
}
