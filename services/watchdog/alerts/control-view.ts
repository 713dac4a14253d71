import type { Buffer } from 'node:buffer'
import { ALERT_STATE_KEY, type AlertState, alertStateRecord } from '@freshet/records/alert-state.ts'
import { Orders, SPEAKER_KEY, speakerClaimRecord } from '@freshet/records/control.ts'
import type { Log } from '@freshet/stage/log.ts'

/** A message of `.control`. */
export interface ControlMessage {
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Claims are looked for within seconds. */
const MAX_CLAIMS = 100

/**
 * What stands in `.control`, as far as it was heard: orders, who speaks, and what the watchdogs remember. It may hear a
 * message from several readers; each counts once.
 */
export class ControlView {
  #orders = new Orders()
  readonly #log: Log
  #nextOffset = 0
  #state: AlertState | undefined
  /** It was in a topic that is gone: whatever comes next takes its place. */
  #isStateLost = false
  #isOverwritten = false
  #speaker: { readonly instance: string; readonly claim: string } | undefined
  readonly #heardClaims = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  get orders(): Pick<Orders, 'inForce' | 'endedBefore'> {
    return this.#orders
  }

  /** All before it is heard. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /**
   * What was heard at `high` and above was in a topic that is gone, with all orders. What the watchdogs remembered is still
   * the best that is known, until one of them writes it again.
   */
  logEndsAt(high: number): void {
    if (this.#nextOffset <= high) return
    this.#log.warn('.control was made anew: silences and other orders are gone with it')
    this.#nextOffset = 0
    this.#orders = new Orders()
    this.#speaker = undefined
    this.#heardClaims.clear()
    this.#isStateLost = true
  }

  hear({ offset, key, value }: ControlMessage): void {
    if (offset < this.#nextOffset) return
    this.#nextOffset = offset + 1
    const name = key?.toString() ?? ''
    try {
      if (name === ALERT_STATE_KEY) this.#remember(value)
      else if (name === SPEAKER_KEY) this.#claimed(value)
      else this.#orders.hear(name, value)
    } catch (error) {
      this.#log.error(`${name} in .control cannot be read`, error)
    }
  }

  #claimed(value: Buffer | null): void {
    this.#speaker = value === null ? undefined : speakerClaimRecord.decode(value)
    if (this.#speaker === undefined) return
    this.#heardClaims.add(this.#speaker.claim)
    if (this.#heardClaims.size > MAX_CLAIMS)
      this.#heardClaims.delete(this.#heardClaims.values().next().value!)
  }

  /** What one that was given up still writes is outranked by the term of its successor, also when it comes later. */
  #remember(value: Buffer | null): void {
    if (value === null) return
    const state = alertStateRecord.decode(value)
    if (this.#state !== undefined && !this.#isStateLost && state.term < this.#state.term) {
      this.#isOverwritten = true
      return
    }
    this.#state = state
    this.#isStateLost = false
  }

  /** Whether one that was given up has written last: its word must not be what compaction leaves. Asking settles it. */
  takeOverwritten(): boolean {
    const was = this.#isOverwritten
    this.#isOverwritten = false
    return was
  }

  /** What the watchdogs remember; undefined when none has written yet. */
  state(): AlertState | undefined {
    return this.#state
  }

  /** The watchdog that took over last; undefined: none has, as far as is known. */
  speaker(): string | undefined {
    return this.#speaker?.instance
  }

  /**
   * Whether all is heard that was written before this claim. Another one may have come behind it: of a watchdog that was
   * frozen while it wrote, whose turn is over. Else nobody would speak until the group decides again.
   */
  hasHeard(claim: string): boolean {
    return this.#heardClaims.has(claim)
  }
}
