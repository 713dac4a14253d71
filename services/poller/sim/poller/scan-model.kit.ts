import type { ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import type { Capture, Effect, Event, Observed } from '../../capture/capture-state.ts'
import type { RunningScan } from '../../sharing/held-shard.ts'
import type { Operation } from '../elasticsearch/copy.kit.ts'
import { LIMITS } from './limits.kit.ts'
import { type Flight, land, type Process, type Task } from './process.kit.ts'

/**
 * One scan of one shard, as capture-shard.ts performs it: whatever is under way may end in any order; after a failure the
 * others run to their end, and only then is the scan over.
 */
export class ScanModel implements RunningScan, Task {
  readonly key: string
  readonly stop = new AbortController()
  readonly #process: Process
  readonly #place: { readonly index: string; readonly number: number }
  /** Told once, when nothing is under way any more. */
  readonly #onOver: () => void
  #state: Capture
  #page: readonly Operation[] = []
  #flights: readonly Flight[] = []

  constructor(process: Process, key: string, view: ShardView, state: Capture, onOver: () => void) {
    this.#process = process
    this.key = key
    this.#place = { index: view.index, number: view.shard }
    this.#state = state
    this.#onOver = onOver
  }

  get state(): Capture {
    return this.#state
  }

  get flights(): readonly Flight[] {
    return this.#flights
  }

  begin(seen: Observed): void {
    this.#feed(seen)
  }

  /** Others wait. */
  yield(): void {
    this.#feed({ kind: 'yield' })
  }

  complete(flight: Flight): void {
    const { witness, rules } = this.#process
    const event = this.#perform(flight)
    this.#flights = this.#flights.filter((other) => other !== flight)
    witness.ended(this.#process, this.key, event)
    if (flight.effect.kind !== 'produce' || rules.waitsForAcknowledgement) this.#feed(event)
    else if (this.#flights.length === 0) this.#onOver()
  }

  fail(flight: Flight, isDone: boolean): void {
    if (isDone) this.#perform(flight)
    this.#flights = this.#flights.filter((other) => other !== flight)
    this.#process.witness.failed(this.#process, flight, isDone)
    this.#feed({ kind: 'failed' })
  }

  #feed(event: Event): void {
    const { rules, chance, nowMs } = this.#process
    const [state, effects] = rules.step(this.#state, event, LIMITS)
    this.#state = state
    for (const effect of effects) {
      const flight = {
        task: this,
        effect,
        page: this.#page,
        cursor: state.cursor,
        isSlow: chance.happens(0.1),
      }
      this.#flights = [...this.#flights, flight]
      if (effect.kind === 'produce' && !rules.waitsForAcknowledgement)
        this.#feed({ kind: 'acked', throughSeqNo: effect.throughSeqNo, nowMs: nowMs() })
    }
    if (this.#flights.length === 0) this.#onOver()
  }

  #perform(flight: Flight): Event {
    const { cluster, rules, nowMs } = this.#process
    const { effect } = flight
    land(this.#process, flight)
    if (effect.kind === 'save') return { kind: 'saved' }
    if (effect.kind === 'produce') return { kind: 'acked', throughSeqNo: effect.throughSeqNo, nowMs: nowMs() }
    if (this.stop.signal.aborted) return { kind: 'failed' }
    if (effect.kind === 'readPage') return this.#read(effect)
    return !rules.refreshes || cluster.refresh(this.#place.index) ? { kind: 'refreshed' } : { kind: 'failed' }
  }

  #read(effect: Extract<Effect, { kind: 'readPage' }>): Event {
    const { cluster, rules, witness } = this.#process
    const { index, number } = this.#place
    const { node, from, toSeqNo, rows, maxBytes } = rules.ask(effect)
    const visible = cluster.search(index, number, node)
    witness.searched(this.#place, effect, visible)
    if (visible === undefined && rules.tellsNowhereFromNothing) return { kind: 'failed' }
    const page = (visible ?? [])
      .filter(({ seqNo }) => seqNo <= toSeqNo && (from.inclusive ? seqNo >= from.seqNo : seqNo > from.seqNo))
      .slice(0, rows)
    const bytes = page.reduce((sum, { bytes }) => sum + bytes, 0)
    if (bytes > maxBytes) {
      witness.gaveUpPage()
      return { kind: 'pageTooLarge' }
    }
    this.#page = page
    return { kind: 'page', hits: page.map(({ id, seqNo }) => ({ id: id!, seqNo })), bytes }
  }
}
