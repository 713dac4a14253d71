import { seeded } from '@freshet/stage/seeded.ts'

/** Every draw of a simulation comes from here, so its seed replays it. */
export class Chance {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = seeded(seed)
  }

  /** Uniform in [0, limit). */
  upTo(limit: number): number {
    return this.#next() * limit
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit)
  }

  happens(probability: number): boolean {
    return this.#next() < probability
  }

  /** undefined when there is nothing to pick from. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)]
  }
}
