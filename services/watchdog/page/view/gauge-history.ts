export interface GaugeHistoryOptions {
  readonly bucketSeconds: number
  readonly buckets: number
}

/** What was seen at each look of the last minutes: the highest value of each bucket of time, null where nobody looked. */
export class GaugeHistory {
  readonly #bucketMs: number
  readonly #buckets: number
  /** By name, then by the number of the bucket since 1970. */
  readonly #values = new Map<string, Map<number, number>>()

  constructor({ bucketSeconds, buckets }: GaugeHistoryOptions) {
    this.#bucketMs = bucketSeconds * 1_000
    this.#buckets = buckets
  }

  /** @param values by name; null: not known now */
  look(nowMs: number, values: Readonly<Record<string, number | null>>): void {
    const bucket = this.#bucketOf(nowMs)
    for (const [name, value] of Object.entries(values)) {
      if (value === null) continue
      const known = this.#values.get(name) ?? new Map<number, number>()
      known.set(bucket, Math.max(value, known.get(bucket) ?? value))
      this.#values.set(name, known)
    }
    this.#forget(bucket - this.#buckets)
  }

  /** Oldest first; the last one is that of `nowMs`. */
  history(name: string, nowMs: number): (number | null)[] {
    const oldest = this.#bucketOf(nowMs) - this.#buckets + 1
    return Array.from({ length: this.#buckets }, (_, at) => this.#values.get(name)?.get(oldest + at) ?? null)
  }

  #bucketOf(nowMs: number): number {
    return Math.floor(nowMs / this.#bucketMs)
  }

  #forget(upTo: number): void {
    for (const [name, known] of this.#values) {
      for (const bucket of known.keys()) if (bucket <= upTo) known.delete(bucket)
      if (known.size === 0) this.#values.delete(name)
    }
  }
}
