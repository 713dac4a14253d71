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
  /** By print: 1 where one of the keys has it. Most others have none of these, and need no second look. */
  readonly #prints = new Uint8Array(PRINTS)
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
    if (this.#prints[printOf(bytes, start, end)] === 0) return false
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
    this.#prints.fill(0)
    for (const { key } of orders) this.#prints[printOf(key, 0, key.length)] = 1
    this.#nextEndMs = Math.min(...orders.map(({ untilMs }) => untilMs))
  }
}

/** Of a hundred keys, so few others share a print that looking at them again costs nothing. */
const PRINTS = 4_096
/** Of the end, where keys of one index differ. */
const PRINT_BYTES = 8

/** A number below PRINTS, from the length and the last bytes. */
function printOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  for (let at = Math.max(start, end - PRINT_BYTES); at < end; at++)
    hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193)
  return (hash ^ (hash >>> 15)) & (PRINTS - 1)
}

/** From the end: keys of one index begin alike. */
function isSame(key: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false
  for (let at = key.length - 1; at >= 0; at--) if (key[at] !== bytes[start + at]) return false
  return true
}
