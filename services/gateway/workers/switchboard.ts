import { once } from 'node:events'
import type { Spent } from '../keys/access.ts'
import type { Family } from '../metrics/prometheus-text.ts'
import { joinFamilies } from './join-families.ts'
import type { ToWorker } from './messages.ts'

const FIGURES_WITHIN_MS = 1_000

interface Connected {
  readonly number: number
  /** @returns whether it may be expected to hear it. */
  say(message: ToWorker): boolean
}

/**
 * What workers have to say to each other, in the first process, which all of them reach: the figures of all for the one
 * that is asked for them, and for each what the others have let in.
 */
export class Switchboard {
  readonly #workers: readonly Connected[]
  readonly #asked = new Map<number, Map<Connected, (families: Family[]) => void>>()
  #lastId = 0

  constructor(workers: readonly Connected[]) {
    this.#workers = workers
  }

  /** One that does not tell its figures in time is left out. */
  async answer(asker: Connected, askersId: number): Promise<void> {
    const id = ++this.#lastId
    const told = new Map<number, readonly Family[]>()
    const waiting = new Map<Connected, (families: Family[]) => void>()
    this.#asked.set(id, waiting)
    const all = this.#workers.map((worker) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.set(worker, (families) => {
        told.set(worker.number, families)
        resolve()
      })
      return worker.say({ kind: 'tell figures', id }) ? promise : undefined
    })
    const late = AbortSignal.timeout(FIGURES_WITHIN_MS)
    await Promise.race([Promise.all(all), once(late, 'abort')])
    this.#asked.delete(id)
    asker.say({ kind: 'figures of all', id: askersId, families: joinFamilies(told) })
  }

  heard(worker: Connected, id: number, families: Family[]): void {
    this.#asked.get(id)?.get(worker)?.(families)
  }

  /** Passes on what one has let in: each key has one rate, whichever worker its requests come to. */
  spent(by: Connected, spent: Spent): void {
    for (const worker of this.#workers) if (worker !== by) worker.say({ kind: 'spent elsewhere', spent })
  }
}
