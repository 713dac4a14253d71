/** From what is given up first to what is kept longest: logs below WARN, spans, metrics, logs from WARN up. */
const WORTHS = ['chatter', 'span', 'metric', 'alarm'] as const
export type Worth = (typeof WORTHS)[number]

/** What waits to be delivered. */
export interface Queued {
  /** What it holds of memory, about. */
  readonly bytes: number
  readonly worth: Worth
}

/**
 * What waits for delivery, bounded by bytes. What is in flight counts until it is settled, so the bound holds for
 * memory. When full, the oldest of the least worth is dropped: a push never waits and never throws.
 */
export class Queue<Item extends Queued> {
  readonly #maxBytes: number
  readonly #onDrop: () => void
  readonly #waiting: Record<Worth, Item[]> = { chatter: [], span: [], metric: [], alarm: [] }
  #bytes = 0

  constructor(maxBytes: number, onDrop: () => void) {
    this.#maxBytes = maxBytes
    this.#onDrop = onDrop
  }

  /** Of what waits and what is in flight. */
  get bytes(): number {
    return this.#bytes
  }

  get waiting(): number {
    return WORTHS.reduce((sum, worth) => sum + this.#waiting[worth].length, 0)
  }

  push(item: Item): void {
    this.#waiting[item.worth].push(item)
    this.#bytes += item.bytes
    this.#shrink()
  }

  /** Most worth first, then oldest first; up to `maxBytes`, but at least one if any waits. */
  take(maxBytes: number): Item[] {
    const taken: Item[] = []
    let bytes = 0
    for (const worth of WORTHS.toReversed()) {
      const waiting = this.#waiting[worth]
      let count = 0
      while (count < waiting.length && (bytes + waiting[count]!.bytes <= maxBytes || bytes === 0))
        bytes += waiting[count++]!.bytes
      taken.push(...waiting.splice(0, count))
    }
    return taken
  }

  /** What was taken is over: delivered or given up. */
  settle(items: readonly Item[]): void {
    for (const { bytes } of items) this.#bytes -= bytes
  }

  /** What was taken waits again, before all else of its worth. */
  putBack(items: readonly Item[]): void {
    for (const worth of WORTHS) this.#waiting[worth].unshift(...items.filter((item) => item.worth === worth))
    this.#shrink()
  }

  #shrink(): void {
    while (this.#bytes > this.#maxBytes) {
      const worth = WORTHS.find((candidate) => this.#waiting[candidate].length > 0)
      if (worth === undefined) return // all of it is in flight
      this.#bytes -= this.#waiting[worth].shift()!.bytes
      this.#onDrop()
    }
  }
}
