import { FreshetError, toFreshetError } from '@freshet/errors/errors.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { toKafkaError } from '../kafka-error.ts'
import type { Admin, Kafka } from './kafkajs.ts'
import { quit } from './quit.ts'

export interface Doing {
  /** For errors, e.g. `reading the lag of groups`. */
  readonly doing: string
  readonly signal: AbortSignal
}

/** What is needed here of a connection. */
interface Clients {
  newClient(options: { readonly over: AbortSignal }): Pick<Kafka, 'admin'>
}

interface Kept {
  readonly admin: Admin
  readonly over: AbortController
  isConnected: boolean
}

/** An administrator's client that stays connected from one use to the next, for who asks every few seconds; made anew after an error. */
export class KeptAdmin implements AsyncDisposable {
  readonly #connection: Clients
  #kept: Kept | null = null

  constructor(connection: Clients) {
    this.#connection = connection
  }

  /**
   * One after the other. What a client that was kept cannot do is tried once more with a new one, which knows who leads now.
   * @throws DEADLINE as soon as `signal` aborts; KAFKA_UNREACHABLE after `ADMIN_DEADLINE_MS`, or where the time of `signal`
   *   is over before a broker has answered at all; and what the brokers answer, translated
   */
  async do<T>(what: Doing, work: (admin: Admin) => Promise<T>): Promise<T> {
    const wasKept = this.#kept !== null
    try {
      return await this.#try(what, work)
    } catch (error) {
      const isAway = ['KAFKA_UNREACHABLE', 'DEADLINE'].includes(toFreshetError(error).code)
      if (!wasKept || isAway) throw error
      return await this.#try(what, work)
    }
  }

  async #try<T>({ doing, signal }: Doing, work: (admin: Admin) => Promise<T>): Promise<T> {
    if (signal.aborted) throw stopped(doing, signal)
    const kept = (this.#kept ??= this.#open())
    const done = new AbortController()
    const late = systemClock.sleep(ADMIN_DEADLINE_MS, AbortSignal.any([signal, done.signal])).then(() => {
      if (signal.aborted && (kept.isConnected || !isLate(signal))) throw stopped(doing, signal)
      if (signal.aborted)
        throw new FreshetError('KAFKA_UNREACHABLE', `${doing}: the time was over before a broker answered`)
      throw new FreshetError('KAFKA_UNREACHABLE', `${doing}: no answer within ${ADMIN_DEADLINE_MS / 1_000} s`)
    })
    late.catch(() => {}) // told by the race below; it must not count as unhandled when the work wins
    try {
      const working = async () => {
        if (!kept.isConnected) await kept.admin.connect()
        kept.isConnected = true
        return await work(kept.admin)
      }
      return await Promise.race([working(), late])
    } catch (error) {
      await this[Symbol.asyncDispose]()
      throw toKafkaError(error, doing)
    } finally {
      done.abort()
    }
  }

  #open(): Kept {
    const over = new AbortController()
    return { admin: this.#connection.newClient({ over: over.signal }).admin(), over, isConnected: false }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const kept = this.#kept
    this.#kept = null
    if (kept === null) return
    kept.over.abort()
    await quit(kept.admin, kept.isConnected ? 2_000 : 100) // one that never got through has nothing to end orderly
  }
}

const ADMIN_DEADLINE_MS = 30_000

function stopped(doing: string, signal: AbortSignal): FreshetError {
  const why = isLate(signal) ? 'the time is over' : 'the caller stopped'
  return new FreshetError('DEADLINE', `${doing}: ${why}`)
}

/** Whether it was a deadline that aborted it. */
function isLate({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}
