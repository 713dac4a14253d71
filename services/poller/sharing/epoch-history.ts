import type { Cursor } from '@freshet/records/cursor.ts'

/**
 * The epochs that a shard had, by all records of it that `.cursors` still holds. Of those, the highest one answers for its
 * ancestors: they died on disk as it began. What it never met are epochs of others, such as a poller that woke up late.
 */
export class EpochHistory {
  readonly #deadOf = new Map<number, Set<number>>()

  add({ epoch, deadEpochs }: Pick<Cursor, 'epoch' | 'deadEpochs'>): void {
    const dead = this.#deadOf.get(epoch) ?? new Set()
    this.#deadOf.set(epoch, dead)
    for (const ancestor of deadEpochs) dead.add(ancestor)
  }

  /** Rows of these would belong to nobody. */
  strangers(): readonly number[] {
    const highest = Math.max(...this.#deadOf.keys())
    const family = new Set([highest])
    for (const member of family) for (const dead of this.#deadOf.get(member) ?? []) family.add(dead)
    const all = new Set([...this.#deadOf].flatMap(([epoch, dead]) => [epoch, ...dead]))
    return [...all].filter((epoch) => !family.has(epoch)).sort((a, b) => a - b)
  }
}
