/** What a soak does to Elasticsearch, one operation after the other: pure, and the same for the same numbers. */
import { type Flight, versionsOf } from '@freshet/demo/flights.ts'
import { seeded } from '@freshet/stage/seeded.ts'

export interface Amounts {
  readonly documents: number
  readonly updates: number
  /** At most half as many as there are documents. */
  readonly deletes: number
}

export interface Operation {
  readonly kind: 'create' | 'update' | 'delete'
  readonly id: string
  /** JSON; empty for a delete. */
  readonly source: string
  /** False for a document that is deleted later: one that goes before it was captured never has a score. */
  readonly lasts: boolean
}

const SEED = 2013
/** A document lives for so many further ones before it is deleted, or until the end. */
const DELETED_AFTER = 50_000

/**
 * The documents of a soak by number. Every so many there is one that is deleted later, and never updated: so at the end
 * it is known how many live.
 */
export class SoakDocuments {
  readonly amounts: Amounts
  readonly #flights: readonly Flight[]
  readonly #sources: readonly (readonly string[])[]
  readonly #random = seeded(SEED)
  readonly #everyNth: number

  /** @param flights at least one; taken over and over, under new ids */
  constructor(amounts: Amounts, flights: readonly Flight[]) {
    this.amounts = amounts
    this.#flights = flights
    this.#sources = flights.map((flight) => versionsOf(flight).map((version) => JSON.stringify(version)))
    this.#everyNth =
      amounts.deletes === 0 ? Number.POSITIVE_INFINITY : Math.floor(amounts.documents / amounts.deletes)
  }

  /** All documents, and between them updates of earlier ones and deletes, spread evenly. */
  *load(): Generator<Operation> {
    const { documents, updates, deletes } = this.amounts
    let updated = 0
    let deleted = 0
    for (let at = 0; at < documents; at++) {
      yield {
        kind: 'create',
        id: this.#idOf(at),
        source: this.#sourcesOf(at)[0]!,
        lasts: !this.#isDoomed(at),
      }
      for (const due = Math.floor((updates * (at + 1)) / documents); updated < due; updated++) {
        const update = this.#updateBelow(at + 1)
        if (update === undefined) break // only one that is to be deleted is there: later, then
        yield update
      }
      for (; deleted < deletes && deleted * this.#everyNth + DELETED_AFTER <= at; deleted++)
        yield this.#delete(deleted)
    }
    for (; deleted < deletes; deleted++) yield this.#delete(deleted)
  }

  /** Updates of documents that live. @param documents how many of them were written, at least two */
  *updates(count: number, documents: number): Generator<Operation> {
    for (let done = 0; done < count; ) {
      const update = this.#updateBelow(documents)
      if (update === undefined) continue
      yield update
      done++
    }
  }

  #updateBelow(end: number): Operation | undefined {
    const drawn = Math.floor(this.#random() * end)
    const at = this.#isDoomed(drawn) ? drawn + 1 : drawn
    if (at >= end) return undefined
    const later = this.#sourcesOf(at).slice(1)
    const source = later[Math.floor(this.#random() * later.length)]!
    return { kind: 'update', id: this.#idOf(at), source, lasts: true }
  }

  #delete(number: number): Operation {
    return { kind: 'delete', id: this.#idOf(number * this.#everyNth), source: '', lasts: false }
  }

  #isDoomed(at: number): boolean {
    return at % this.#everyNth === 0 && at / this.#everyNth < this.amounts.deletes
  }

  #idOf(at: number): string {
    return `${this.#flights[at % this.#flights.length]!.id}-${at}`
  }

  #sourcesOf(at: number): readonly string[] {
    return this.#sources[at % this.#sources.length]!
  }
}
