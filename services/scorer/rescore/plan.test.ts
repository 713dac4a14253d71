/**
 * A model of one partition of `.changes`, of scorers that die, wake late and lag behind a promotion, and of the two
 * groups that remember. Real are the decisions: planOf and Stretches. Modelled are Kafka's log and its groups, of which
 * only one member at a time may commit, and commits late.
 */

import { type InferNote, inferNoteRecord, rescoreNoteRecord } from '@freshet/records/scoring-note.ts'
import { seeded } from '@freshet/stage/seeded.ts'
import { describe, expect, test } from 'vitest'
import { Stretches } from '../infer/stretches.ts'
import { leftOf, type PartitionPosition, planOf, progressOf } from './plan.ts'

const infer = (offset: number, generation: number, sinceOffset: number) => ({
  offset,
  note: { version: 1, generation, sinceOffset } as const,
})
const rescored = (offset: number, generation: number) => ({
  offset,
  note: { version: 1, generation, beganAtMs: 5 } as const,
})
const at = (parts: Partial<PartitionPosition>): PartitionPosition => ({
  partition: 0,
  low: 0,
  high: 100,
  infer: null,
  rescore: null,
  ...parts,
})

describe('what is left', () => {
  test.each<[string, Partial<PartitionPosition>, number, [from: number, to: number]]>([
    ['nothing, where nothing was ever scored', {}, 1, [0, 0]],
    ['nothing, where infer began with this model', { infer: infer(60, 1, 0) }, 1, [0, 0]],
    ['all below where infer took the model', { infer: infer(60, 2, 40) }, 2, [0, 40]],
    ['all that infer has scored, while it has an older model', { infer: infer(60, 1, 0) }, 2, [0, 60]],
    ['all, where nobody knows with which model', { infer: { offset: 60, note: null } }, 1, [0, 60]],
    ['the rest, after a stop', { infer: infer(60, 2, 40), rescore: rescored(25, 2) }, 2, [25, 40]],
    ['all, under another promotion', { infer: infer(60, 3, 50), rescore: rescored(25, 2) }, 3, [0, 50]],
    ['nothing, while others use a newer model', { infer: infer(60, 3, 50) }, 2, [0, 0]],
    [
      'nothing, while others rescore with a newer',
      { infer: infer(60, 2, 9), rescore: rescored(7, 3) },
      2,
      [0, 0],
    ],
    [
      'what infer scored with an older model since',
      { infer: infer(60, 2, 55), rescore: rescored(40, 2) },
      2,
      [40, 55],
    ],
    [
      'all of a topic that was made anew',
      { high: 30, infer: infer(20, 2, 10), rescore: rescored(40, 2) },
      2,
      [0, 10],
    ],
    ['not what the log has lost', { low: 30, infer: infer(60, 2, 40) }, 2, [30, 40]],
  ])('%s', (_, position, generation, [from, to]) => {
    expect(planOf(at(position), generation)).toMatchObject({ from, to })
  })

  test('adds up over partitions, with the time at which the first began', () => {
    const plans = [
      planOf(at({ infer: infer(60, 2, 40), rescore: rescored(25, 2) }), 2),
      planOf(at({ partition: 1, infer: infer(60, 2, 50) }), 2),
      planOf(at({ partition: 2 }), 2),
    ]
    expect(progressOf(plans)).toEqual({ total: 90, left: 65, beganAtMs: 5 })
  })
})

describe('in the end every change is scored with the newest model', () => {
  test.each(Array.from({ length: 500 }, (_, seed) => seed))('whoever died when [seed %i]', (seed) => {
    const world = new PartitionWorld(seeded(seed))
    for (let step = 0; step < 200; step++) world.step()
    world.heal()
    expect(world.older(), 'offsets with an older score').toEqual([])
    expect(world.left()).toBe(0)
  })
})

/** Offsets of a group, and the member that may commit; what was committed late may be lost with it. */
interface Group {
  committed: { offset: number; note: string } | null
  pending: { offset: number; note: string } | null
}

class PartitionWorld {
  readonly #random: () => number
  /** By offset: generations of the scores that were written, the highest wins. */
  readonly #scores: number[] = []
  /** Offsets that compaction has taken. */
  readonly #gone = new Set<number>()
  #promoted = 1
  readonly #infer: Group = { committed: null, pending: null }
  readonly #rescore: Group = { committed: null, pending: null }
  /** Each remembers what it did, also while another has the partition; a generation only rises. */
  readonly #processes = [1, 1].map((generation) => ({ stretches: new Stretches(), generation }))
  /** The member of infer that has the partition. */
  #owner = { process: this.#processes[0]!, start: { nextOffset: 0, note: '' }, position: 0 }
  /** What a process saw of the plan some time ago. */
  #seen: InferNote | null = null
  #rescorer = { generation: 1, position: 0, to: 0 }

  constructor(random: () => number) {
    this.#random = random
  }

  step(): void {
    const act = this.#pick([
      () => this.#append(1 + this.#below(4)),
      () => this.#scoreFresh(1 + this.#below(5)),
      () => this.#scoreFresh(1 + this.#below(5)),
      () => this.#rescoreSome(1 + this.#below(6)),
      () => this.#rescoreSome(1 + this.#below(6)),
      () => flush(this.#infer),
      () => flush(this.#rescore),
      () => this.#killInfer(),
      () => this.#startRescorer(1 + this.#below(this.#promoted)),
      () => this.#startRescorer(this.#promoted),
      () => this.#chance(0.3) && (this.#owner.process.generation = this.#promoted),
      () => this.#look(),
      () => this.#settle(),
      () => this.#chance(0.2) && this.#promoted++,
      () => this.#chance(0.3) && this.#compact(),
      () => this.#chance(0.05) && (this.#rescore.committed = null), // expired, as of an empty group
    ])
    act()
  }

  /** All processes live, have the newest model, and have time. */
  heal(): void {
    this.#killInfer()
    this.#owner.process.generation = this.#promoted
    while (this.#owner.position < this.#scores.length) this.#scoreFresh(5)
    flush(this.#infer)
    for (let turns = 0; this.left() > 0 && turns < 1_000; turns++) {
      this.#startRescorer(this.#promoted)
      this.#rescoreSome(7)
      flush(this.#rescore)
    }
  }

  left(): number {
    return leftOf(this.#plan(this.#promoted))
  }

  older(): number[] {
    return [...this.#scores.keys()].filter(
      (offset) => !this.#gone.has(offset) && this.#scores[offset]! < this.#promoted,
    )
  }

  #append(count: number): void {
    for (let i = 0; i < count; i++) this.#scores.push(0)
  }

  /** One fetch; it may die between the scores and the offset. */
  #scoreFresh(count: number): void {
    const { process, start, position } = this.#owner
    const { stretches, generation } = process
    const to = Math.min(this.#scores.length, position + count)
    if (to === position) return
    const note = stretches.during(0, start, generation)
    this.#write(position, to, generation)
    if (this.#chance(0.1)) {
      this.#killInfer()
      return
    }
    this.#infer.pending = { offset: to, note: inferNoteRecord.encode(note) }
    stretches.advance(0, to)
    this.#owner.position = to
  }

  /** A process has it from where it was committed: another one perhaps, which has not heard of the promotion. */
  #killInfer(): void {
    if (this.#chance(0.5)) flush(this.#infer)
    this.#infer.pending = null
    const { offset, note } = this.#infer.committed ?? { offset: 0, note: '' }
    const process = this.#processes[this.#below(2)]!
    this.#owner = { process, start: { nextOffset: offset, note }, position: offset }
  }

  #look(): void {
    this.#seen = this.#plan(this.#owner.process.generation).settled
  }

  /** On what was seen before, however long ago. */
  #settle(): void {
    if (this.#seen !== null) this.#owner.process.stretches.settle(0, this.#seen)
  }

  #startRescorer(generation: number): void {
    if (this.#chance(0.5)) flush(this.#rescore)
    this.#rescore.pending = null
    const { from, to } = this.#plan(generation)
    this.#rescorer = { generation, position: from, to }
  }

  #rescoreSome(count: number): void {
    const { generation, position, to } = this.#rescorer
    const until = Math.min(to, position + count)
    if (until <= position) return
    this.#write(position, until, generation)
    this.#rescorer.position = until
    if (this.#chance(0.1)) return
    this.#rescore.pending = {
      offset: until,
      note: rescoreNoteRecord.encode({ version: 1, generation, beganAtMs: 0 }),
    }
  }

  #plan(generation: number) {
    const decode = <T>(group: Group, record: { decode: (text: string) => T }) =>
      group.committed && { offset: group.committed.offset, note: record.decode(group.committed.note) }
    return planOf(
      {
        partition: 0,
        low: 0,
        high: this.#scores.length,
        infer: decode(this.#infer, inferNoteRecord),
        rescore: decode(this.#rescore, rescoreNoteRecord),
      },
      generation,
    )
  }

  #compact(): void {
    const clean = Math.min(this.#infer.committed?.offset ?? 0, this.#scores.length - 1)
    for (let offset = 0; offset < clean; offset++) if (this.#chance(0.1)) this.#gone.add(offset)
  }

  #write(from: number, to: number, generation: number): void {
    for (let offset = from; offset < to; offset++)
      this.#scores[offset] = Math.max(this.#scores[offset]!, generation)
  }

  #pick(acts: readonly (() => unknown)[]): () => unknown {
    return acts[this.#below(acts.length)]!
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #chance(share: number): boolean {
    return this.#random() < share
  }
}

function flush(group: Group): void {
  if (group.pending !== null) group.committed = group.pending
  group.pending = null
}
