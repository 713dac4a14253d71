/** More keys a call save little, and other readers wait for as long as one takes (figures: decisions/0019). */
export const KEYS_PER_CALL = 128

/** @returns what there is of the key at a position; it may throw. */
type AskMany<Value> = (keys: readonly string[]) => Promise<(at: number) => Value>

interface Reader<Value> {
  readonly resolve: (value: Value) => void
  readonly reject: (error: unknown) => void
}

/**
 * Asks for all that is to be read in one turn of the event loop in one call. A call of its own costs the
 * client 7 to 9 µs a key, one for many 0.6 (figures: decisions/0019, 0022). Nothing waits for longer than this turn's
 * reading of sockets, and no call waits for the reply to another.
 */
export class ReadsOfATurn<Value> {
  readonly #askMany: AskMany<Value>
  #keys: string[] = []
  #readers: Reader<Value>[] = []

  constructor(askMany: AskMany<Value>) {
    this.#askMany = askMany
  }

  /** @throws whatever the call of this turn is rejected with, or what there is of the key throws */
  get(key: string): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.#keys.push(key) === 1) setImmediate(() => this.#ask())
      this.#readers.push({ resolve, reject })
      if (this.#keys.length === KEYS_PER_CALL) this.#ask()
    })
  }

  #ask(): void {
    const keys = this.#keys
    const readers = this.#readers
    if (keys.length === 0) return // a full call has taken them
    this.#keys = []
    this.#readers = []
    this.#askMany(keys).then(
      (valueAt) => tellEach(readers, valueAt),
      (error: unknown) => {
        for (const { reject } of readers) reject(error)
      },
    )
  }
}

function tellEach<Value>(readers: readonly Reader<Value>[], valueAt: (at: number) => Value): void {
  for (const [at, { resolve, reject }] of readers.entries())
    try {
      resolve(valueAt(at))
    } catch (error) {
      reject(error)
    }
}
