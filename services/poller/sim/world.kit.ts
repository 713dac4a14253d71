import type { Cursor } from '@freshet/records/cursor.ts'
import { compareRevisions, type Revision } from '@freshet/records/revision.ts'
import { seeded } from '@freshet/stage/seeded.ts'
import {
  type Capture,
  defaultLimits,
  type Effect,
  type Event,
  newCapture,
  resume,
  step,
} from '../capture/capture.ts'
import { type Operation, ShardModel } from './shard-model.kit.ts'

/** How often each thing happens, drawn from the seed; 0 turns it off for the whole run. */
type Rates = Readonly<
  Record<
    | 'write'
    | 'remove'
    | 'hole'
    | 'replicate'
    | 'refresh'
    | 'promote'
    | 'restart'
    | 'restore'
    | 'crash'
    | 'fail'
    | 'work',
    number
  >
>

const IDS = 12
const LIMITS = { ...defaultLimits, pageRows: 4, saveEveryMs: 3, maxWindows: 4 }

/**
 * One shard, one poller and a store that keeps the highest revision, driven by one seed. What is real: capture.ts.
 * What is modelled: Elasticsearch, Kafka (an acknowledged effect is durable), the disk of the cursor.
 */
export class World {
  readonly rates: Rates
  readonly #random: () => number
  readonly #shard = new ShardModel()
  readonly #emitted = new Map<string, Revision>()
  #capture: Capture = newCapture('i', 0)
  #saved: Cursor | undefined
  #lastEpoch = 0
  #nowMs = 1
  /** Effects under way, oldest first; a produce keeps the hits of its page. */
  #pending: { readonly effect: Effect; readonly hits: readonly Operation[] }[] = []
  #page: readonly Operation[] = []

  constructor(seed: number) {
    this.#random = seeded(seed)
    const rate = (often: number) => (this.#random() < 0.3 ? 0 : this.#random() * often)
    this.rates = {
      write: 1 + this.#random() * 4,
      remove: rate(1),
      hole: rate(0.5),
      replicate: 0.5 + this.#random() * 3,
      refresh: rate(2),
      promote: rate(0.4),
      restart: rate(0.4),
      restore: rate(0.1),
      crash: rate(0.4),
      fail: rate(0.6),
      work: 4 + this.#random() * 6,
    }
  }

  run(steps: number): void {
    for (let i = 0; i < steps; i++) this.#act(this.#draw())
  }

  /** Faults end, everything is replicated, and the poller has the time it needs. */
  heal(): void {
    for (let round = 0; round < 3; round++) {
      this.#shard.replicate(this.#shard.maxSeqNo)
      this.#observe()
      while (this.#pending.length > 0) this.#complete(0)
    }
  }

  /** Live documents whose current revision the store does not have. */
  wrong(): string[] {
    return this.#shard
      .live()
      .filter((operation) => {
        const stored = this.#emitted.get(operation.id!)
        return stored === undefined || compareRevisions(stored, this.#revision(operation)) !== 0
      })
      .map(({ id, seqNo, primaryTerm }) => `${id}@${primaryTerm}/${seqNo}`)
  }

  #act(what: keyof Rates): void {
    this.#nowMs++
    const shard = this.#shard
    const below = (bound: number) => Math.floor(this.#random() * (bound + 1))
    const id = `d${below(IDS - 1)}`
    const acts: Readonly<Record<keyof Rates, () => void>> = {
      write: () => shard.write(id, false),
      remove: () => shard.write(id, true),
      hole: () => shard.hole(),
      replicate: () => shard.replicate(shard.globalCheckpoint + below(8)),
      refresh: () => shard.refresh(),
      promote: () => shard.promote(shard.globalCheckpoint + 1 + below(5), below(shard.maxSeqNo + 1)),
      restart: () => shard.restart(shard.globalCheckpoint + 1 + below(5)),
      restore: () => shard.restore(below(shard.maxSeqNo + 1)),
      crash: () => this.#crash(),
      fail: () => this.#fail(),
      work: () => (this.#pending.length === 0 ? this.#observe() : this.#complete(this.#whichNext())),
    }
    acts[what]()
  }

  /** kill -9: what was under way is gone, and the cursor on disk is all that is known. */
  #crash(): void {
    this.#pending = []
    this.#capture = this.#saved === undefined ? newCapture('i', 0) : resume(this.#saved)
  }

  #observe(): void {
    const { identity, globalCheckpoint, maxSeqNo } = this.#shard
    this.#lastEpoch = Math.max(this.#nowMs, this.#lastEpoch + 1)
    this.#feed({
      kind: 'observed',
      identity,
      globalCheckpoint,
      maxSeqNo,
      scope: 's',
      newEpoch: this.#lastEpoch,
    })
  }

  /** Kafka has one lane, so produce and save end in their order; a read may overtake them. */
  #whichNext(): number {
    const read = this.#pending.findIndex(
      ({ effect }) => effect.kind === 'readPage' || effect.kind === 'refresh',
    )
    return read > 0 && this.#random() < 0.5 ? read : 0
  }

  /** As the driver does: the others run to their end first, then the failure is told. */
  #fail(): void {
    if (this.#pending.length === 0) return
    const [, ...others] = this.#pending
    this.#pending = []
    this.#feed({ kind: 'failed' })
    for (const { effect, hits } of others) if (this.#random() < 0.5) this.#take(effect, hits)
  }

  #complete(index: number): void {
    const [{ effect, hits }] = this.#pending.splice(index, 1) as [
      { effect: Effect; hits: readonly Operation[] },
    ]
    if (effect.kind === 'readPage' && effect.node !== this.#shard.identity.node) {
      this.#pending = []
      this.#feed({ kind: 'failed' }) // the primary is elsewhere: 400
      return
    }
    this.#take(effect, hits)
    this.#feed(this.#outcome(effect))
  }

  /** What an effect leaves behind, whether or not the poller hears of it. */
  #take(effect: Effect, hits: readonly Operation[]): void {
    if (effect.kind === 'refresh') this.#shard.refresh()
    if (effect.kind === 'save') this.#saved = effect.cursor
    if (effect.kind === 'readPage') this.#page = this.#shard.search(effect)
    if (effect.kind === 'produce')
      for (const [row, hit] of hits.entries()) if (!effect.skip.has(row)) this.#store(hit)
  }

  #outcome(effect: Effect): Event {
    switch (effect.kind) {
      case 'refresh':
        return { kind: 'refreshed' }
      case 'save':
        return { kind: 'saved' }
      case 'readPage':
        return { kind: 'page', hits: this.#page.map(({ id, seqNo }) => ({ id: id!, seqNo })) }
      case 'produce':
        return { kind: 'acked', throughSeqNo: effect.throughSeqNo, nowMs: this.#nowMs }
    }
  }

  #store(hit: Operation): void {
    const there = this.#emitted.get(hit.id!)
    const revision = this.#revision(hit)
    if (there === undefined || compareRevisions(revision, there) > 0) this.#emitted.set(hit.id!, revision)
  }

  #revision({ primaryTerm, seqNo }: Operation): Revision {
    return { documentVersion: 0, epoch: this.#capture.cursor.epoch, primaryTerm, seqNo }
  }

  #feed(event: Event): void {
    const [next, effects] = step(this.#capture, event, LIMITS)
    this.#capture = next
    this.#pending.push(...effects.map((effect) => ({ effect, hits: this.#page })))
  }

  #draw(): keyof Rates {
    const entries = Object.entries(this.rates) as [keyof Rates, number][]
    let at = this.#random() * entries.reduce((sum, [, rate]) => sum + rate, 0)
    return entries.find(([, rate]) => (at -= rate) < 0)?.[0] ?? 'work'
  }
}
