import type { Log } from '@freshet/stage/log.ts'
import type { TraceOrder } from '@freshet/telemetry/traced/ordered-keys.ts'
import type { Access } from '../keys/access.ts'
import type { Family } from '../metrics/prometheus-text.ts'
import type { FromWorker, ToWorker } from './messages.ts'

/** The first message: what the worker is to be. */
export type Begin = Extract<ToWorker, { kind: 'begin' }>

/** For so long a worker does not know what the others let in. */
const SHARE_EVERY_MS = 50

/** A scrape waits no longer for the others. */
const FIGURES_WITHIN_MS = 1_500

/** The first process as a worker knows it, and by way of it the other workers. */
export class FirstProcess {
  readonly #say: (message: FromWorker) => void
  readonly #onStop: () => void
  readonly #begun = Promise.withResolvers<Begin>()
  /** Tells the figures of this worker. */
  #tellFigures: ((id: number) => Promise<void>) | undefined
  readonly #asked = new Map<number, (families: Family[]) => void>()
  #lastId = 0
  #access: Access | undefined
  #onOrders: ((orders: readonly TraceOrder[]) => void) | undefined
  readonly #earlyOrders: TraceOrder[] = []

  constructor(say: (message: FromWorker) => void, onStop: () => void) {
    this.#say = say
    this.#onStop = onStop
  }

  get begun(): Promise<Begin> {
    return this.#begun.promise
  }

  /** Takes a message that has come from it. */
  hear(message: ToWorker): void {
    switch (message.kind) {
      case 'begin':
        this.#begun.resolve(message)
        break
      case 'stop':
        this.#onStop()
        break
      case 'tell figures':
        void this.#tellFigures?.(message.id)
        break
      case 'figures of all':
        this.#asked.get(message.id)?.(message.families)
        break
      case 'spent elsewhere':
        this.#access?.spendElsewhere(message.spent)
        break
      case 'trace':
        if (this.#onOrders === undefined) this.#earlyOrders.push(...message.orders)
        else this.#onOrders(message.orders)
    }
  }

  /** Also of those that came before anybody listened. */
  hearOrders(onOrders: (orders: readonly TraceOrder[]) => void): void {
    this.#onOrders = onOrders
    onOrders(this.#earlyOrders.splice(0))
  }

  /** Whichever worker is scraped, the figures are those of all, each with its worker's number. */
  figuresOfAll(own: () => Promise<Family[]>, log: Log): () => Promise<Family[]> {
    this.#tellFigures = async (id) => {
      try {
        this.#say({ kind: 'figures', id, families: await own() })
      } catch (error) {
        log.error('the figures of this worker are missing', error)
      }
    }
    return async () => {
      const id = ++this.#lastId
      const { promise, resolve, reject } = Promise.withResolvers<Family[]>()
      this.#asked.set(id, resolve)
      const late = setTimeout(() => own().then(resolve, reject), FIGURES_WITHIN_MS)
      this.#say({ kind: 'ask figures', id })
      try {
        return await promise
      } finally {
        clearTimeout(late)
        this.#asked.delete(id)
      }
    }
  }

  /** Tells the others what this worker lets in, and counts what they let in. */
  shareRates(access: Access): Disposable {
    this.#access = access
    const tell = () => {
      const spent = access.takeSpent()
      if (spent !== undefined) this.#say({ kind: 'spent', spent })
    }
    const telling = setInterval(tell, SHARE_EVERY_MS)
    return {
      [Symbol.dispose]: () => {
        clearInterval(telling)
        this.#access = undefined
      },
    }
  }
}
