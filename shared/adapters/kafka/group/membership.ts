import { FreshetError } from '@freshet/errors/errors.ts'
import { ATTRIBUTES } from '@freshet/stage/attributes.ts'
import type { Clock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { isMembershipLoss, toKafkaError } from '../kafka-error.ts'

/** How a member speaks to its coordinator: kafkajs hands these out with each batch. */
export interface Member {
  heartbeat(): Promise<void>
  commit(offsets: ReadonlyMap<number, NotedOffset>): Promise<void>
}

/** A position in a partition: all before it is done. */
export interface NotedOffset {
  readonly nextOffset: number
  /** Kept by the group beside the offset, for whoever reads on from there. */
  readonly note: string
}

/** Offsets that were sent to the coordinator in one request, and what became of it. */
export interface TriedCommit {
  readonly beganAtMs: number
  readonly endedAtMs: number
  /** undefined: it has them. */
  readonly error: FreshetError | undefined
}

/**
 * One membership in the group: from the moment it gave us partitions until it takes them back, or we crash, stall or stop.
 * Whoever works under it asks it before each effect; an ended membership neither commits nor heartbeats.
 */
export class Membership {
  readonly partitions: readonly number[]
  /** Resolves when reading may begin. */
  readonly ready: Promise<void>
  /** By partition: what is read next. */
  readonly positions = new Map<number, number>()
  /** By partition: where reading began, and the note that was committed there; empty where it began elsewhere. */
  readonly starts = new Map<number, NotedOffset>()
  /** By partition: where reading is to go on after a rest that the batch in hand asked for. */
  readonly rests = new Map<number, number>()
  readonly #options: MembershipOptions
  readonly #over = new AbortController()
  readonly #finished = new Map<number, NotedOffset>()
  #reason: unknown
  #lastBeatMs: number
  #member: Member | undefined
  #lastWords: Promise<void> = Promise.resolve()

  constructor(
    partitions: readonly number[],
    prepare: (membership: Membership) => Promise<void>,
    options: MembershipOptions,
  ) {
    this.partitions = partitions
    this.#options = options
    this.#lastBeatMs = options.clock.nowMs()
    this.ready = prepare(this)
    this.ready.catch(() => {}) // told to whoever awaits it
  }

  /** Aborts when the membership ends. */
  get signal(): AbortSignal {
    return this.#over.signal
  }

  /** @throws KAFKA_STALE when the membership is over, or when this process slept so long that it must be */
  check(): void {
    const silentMs = this.#options.clock.nowMs() - this.#lastBeatMs
    if (!this.signal.aborted && silentMs <= this.#options.sessionTimeoutMs) return
    const why = this.signal.aborted ? 'the partitions were taken back' : `no heartbeat for ${silentMs} ms`
    throw new FreshetError('KAFKA_STALE', why, { cause: this.#reason })
  }

  /** @throws what kafkajs must see to join again, after the last commits; to be called when `check` throws */
  async throwReason(): Promise<void> {
    await this.#lastWords
    if (this.signal.aborted) throw this.#reason
  }

  speakThrough(member: Member): void {
    this.#member = member
  }

  /** The coordinator has confirmed the membership just now. */
  confirmed(): void {
    this.#lastBeatMs = this.#options.clock.nowMs()
  }

  async beat(): Promise<void> {
    await this.#tell((member) => member.heartbeat())
  }

  finish(partition: number, finished: NotedOffset): void {
    this.#finished.set(partition, finished)
  }

  /** Commits what is finished. What fails stays to be committed next time. */
  async flush(): Promise<void> {
    if (this.#finished.size === 0) return
    const offsets = new Map(this.#finished)
    await this.#tell(async (member) => {
      await this.#commit(member, offsets)
      for (const [partition, finished] of offsets)
        if (this.#finished.get(partition) === finished) this.#finished.delete(partition)
    })
  }

  async #commit(member: Member, offsets: ReadonlyMap<number, NotedOffset>): Promise<void> {
    const { clock, onCommit } = this.#options
    const beganAtMs = clock.nowMs()
    const tell = (error?: FreshetError) => onCommit?.({ beganAtMs, endedAtMs: clock.nowMs(), error })
    try {
      await member.commit(offsets)
    } catch (error) {
      tell(toKafkaError(error, 'committing offsets'))
      throw error
    }
    tell()
  }

  /** @param reason what kafkajs must see to join again */
  end(reason: unknown): void {
    if (this.signal.aborted) return
    this.#reason = reason
    this.#lastWords = this.flush() // the group still takes the commits of the membership until it has a new one
    this.#over.abort()
    this.#options.onEnd(this.partitions)
  }

  async #tell(what: (member: Member) => Promise<void>): Promise<void> {
    if (this.signal.aborted || !this.#member) return
    try {
      await what(this.#member)
    } catch (error) {
      if (isMembershipLoss(error)) return this.end(error)
      const known = toKafkaError(error, 'speaking to the coordinator of the group')
      this.#options.log.warn(`${known.message}; it is tried again`, { [ATTRIBUTES.errorType]: known.code })
    }
  }
}

export interface MembershipOptions {
  readonly clock: Clock
  readonly log: Log
  readonly sessionTimeoutMs: number
  readonly onEnd: (partitions: readonly number[]) => void
  readonly onCommit?: ((commit: TriedCommit) => void) | undefined
}
