import { type FreshetError, isFreshetError } from '@freshet/errors/errors.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import type { Breaker } from '@freshet/stage/breaker.ts'
import type { Asking } from '../ladder/may-ask-cache.ts'
import { NOTHING, type Said, unheard } from '../ladder/said.ts'
import { type Deadline, RESERVE_MS } from '../server/deadline.ts'
import type { LoopWatch } from '../server/loop-watch.ts'
import { isHeldUp, whenLate } from '../server/waits.ts'

/** The snapshot as this rung needs it: RangedSnapshot, or a test's. */
export interface RangeReader {
  /** From memory. */
  get(key: string): StoredScore | undefined
  /** Whether that is all there is to say of the key. */
  holdsAllOf(key: string): boolean
  /** From memory and S3. */
  find(key: string): Promise<StoredScore | undefined>
}

export interface RangeRungParts {
  readonly breaker: Breaker
  readonly loop: Pick<LoopWatch, 'isBehind'>
  readonly onLookup: (outcome: RangeOutcome) => void
}

/** How a lookup in S3 ended. `refused`: none was begun. */
type RangeOutcome = 'found' | 'nothing' | 'late' | 'failed' | 'refused'

/** Lookups on their way; each holds some pages, of up to some 100 KB. */
const MAX_LOOKUPS = 256
/** Below this a caller leaves no time for S3; above it S3 that is late is a fault of S3, */
const MIN_WAIT_MS = 5
const FAIR_WAIT_MS = 50
/** and so it is when nothing at all has come of so many lookups in a row, however short they were. */
const LATE_IN_A_ROW = 10

/**
 * Asks S3 for a key, but never longer than the deadline allows, nor when there is no hope. Whatever happens, what memory
 * holds of the key is said: it is the newest that is known.
 */
export class RangeRung {
  readonly #parts: RangeRungParts
  #lookups = 0
  #lateInARow = 0

  constructor(parts: RangeRungParts) {
    this.#parts = parts
  }

  /** Never rejects. Undefined when memory has said everything. */
  ask(reader: RangeReader, key: string, deadline: Deadline): Promise<Said> | undefined {
    if (reader.holdsAllOf(key)) return undefined
    const nowMs = performance.now()
    const waitMs = deadline.endsAtMs - RESERVE_MS - nowMs
    const { breaker, loop } = this.#parts
    if (this.#lookups >= MAX_LOOKUPS || loop.isBehind(nowMs)) return this.#refuse(reader, key, 'overloaded')
    if (waitMs < MIN_WAIT_MS) return this.#refuse(reader, key, 'deadline')
    const ticket = breaker.admit(nowMs)
    if (ticket === 0) return this.#refuse(reader, key, 'snapshot_cut_off')
    return this.#wait(reader, key, { askedAtMs: nowMs, waitMs, ticket })
  }

  #refuse(
    reader: RangeReader,
    key: string,
    reason: 'overloaded' | 'deadline' | 'snapshot_cut_off',
  ): Promise<Said> {
    this.#parts.onLookup('refused')
    return Promise.resolve(fromMemory(reader, key) ?? unheard(reason))
  }

  #wait(reader: RangeReader, key: string, asking: Asking): Promise<Said> {
    const { breaker, onLookup } = this.#parts
    this.#lookups++
    return new Promise((resolve) => {
      let isOver = false
      const settle = (outcome: RangeOutcome, said: Said) => {
        isOver = true
        this.#lookups--
        clearTimeout(timer)
        onLookup(outcome)
        resolve(said)
      }
      const timer = whenLate(asking.waitMs, () => {
        if (isOver) return
        this.#judgeLate(asking)
        settle('late', fromMemory(reader, key) ?? unheard('snapshot_late'))
      })
      reader.find(key).then(
        (score) => {
          this.#lateInARow = 0 // also of a reply that comes too late: S3 does not hang
          if (isOver) return
          breaker.succeeded()
          if (score === undefined) settle('nothing', NOTHING)
          else settle('found', { kind: 'has', score })
        },
        (error: FreshetError) => {
          if (isOver) return
          const isBusy = isFreshetError(error, 'OVERLOADED')
          if (isBusy) breaker.undecided(asking.ticket)
          else breaker.missed(asking.ticket, performance.now())
          const said = fromMemory(reader, key) ?? unheard(isBusy ? 'overloaded' : 'snapshot_unreadable')
          settle(isBusy ? 'refused' : 'failed', said)
        },
      )
    })
  }

  /** A wait that the caller cut short, or our own loop drew out, says nothing by itself. */
  #judgeLate({ askedAtMs, waitMs, ticket }: Asking): void {
    const { breaker } = this.#parts
    const nowMs = performance.now()
    this.#lateInARow++
    const isFair = waitMs >= FAIR_WAIT_MS || this.#lateInARow >= LATE_IN_A_ROW
    if (isFair && !isHeldUp(waitMs, nowMs - askedAtMs)) breaker.missed(ticket, nowMs)
    else breaker.undecided(ticket)
  }
}

function fromMemory(reader: RangeReader, key: string): Said | undefined {
  const score = reader.get(key)
  return score === undefined ? undefined : { kind: 'has', score }
}
