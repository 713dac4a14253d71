/**
 * Proved here, against a model of one index: whatever is written while capture reads, and wherever the process dies, in
 * the end the newest version of every document has been emitted, provided that no document becomes visible with a
 * timestamp further behind the newest one than the overlap, and that no document's timestamp goes back.
 * Real: the planning, the paging, the memory. Modelled: views of the index (a freeze is atomic and complete), Kafka and
 * the cursor store (a write happens or the process dies before it).
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CaptureByTimestamp, type IndexWorld } from './capture-by-timestamp.ts'
import { overlapOf, resume } from './progress.ts'
import type { DocumentVersion } from './remembered.ts'

const START_MS = 1_000_000

class Dead extends Error {}

interface Options {
  readonly overlapMs: number
  readonly pageRows: number
  readonly maxRemembered: number
}

class Model {
  nowMs = START_MS
  readonly documents = new Map<string, DocumentVersion>()
  /** Everything emitted, in order. */
  readonly emitted: DocumentVersion[] = []
  /** What happens while a read goes on, once. */
  meanwhile: () => void = () => {}
  /** How many more effects succeed before the process dies. */
  effectsLeft = Number.POSITIVE_INFINITY
  readonly #options: Options
  #stored = { newestMs: Number.NEGATIVE_INFINITY, settledMs: null as number | null }
  #writes = 0
  /** Newest timestamp that the index has held, of those whose time had come. */
  #newestMs = START_MS - 100_000
  #process: CaptureByTimestamp<DocumentVersion>

  constructor(options: Options) {
    this.#options = options
    this.#process = this.#start()
  }

  /** @param age from 0, now or the future, to 1, as late as may be. */
  write(id: string, age: number, aheadMs: number): void {
    this.#newestMs = Math.max(
      this.#newestMs,
      ...[...this.documents.values()].map(({ timestampMs }) => timestampMs).filter((at) => at <= this.nowMs),
    )
    const known = this.documents.get(id)
    const oldestMs = this.#newestMs - this.#options.overlapMs
    const chosenMs = Math.round(oldestMs + (1 - age) * (this.nowMs + aheadMs - oldestMs))
    const timestampMs = Math.max(chosenMs, known?.timestampMs ?? 0)
    this.documents.set(id, { id, timestampMs, version: (known?.version ?? 0) + 1 })
    this.#writes++
  }

  async poll(): Promise<void> {
    try {
      await this.#process.poll({ nowMs: this.nowMs, state: `${this.#writes}` })
    } catch (error) {
      if (!(error instanceof Dead)) throw error
      this.effectsLeft = Number.POSITIVE_INFINITY
      this.#process = this.#start()
    }
  }

  /** Nothing fails any more, and time goes on until everything that lies in the future has come. */
  async settle(): Promise<void> {
    for (const { timestampMs } of this.documents.values()) this.nowMs = Math.max(this.nowMs, timestampMs)
    for (let round = 0; round < 3; round++) {
      this.nowMs += this.#options.overlapMs + 1
      await this.poll()
    }
  }

  /** Per document the emitted version that every store keeps: of the highest revision. */
  kept(): Map<string, DocumentVersion> {
    const kept = new Map<string, DocumentVersion>()
    for (const emitted of this.emitted) {
      const there = kept.get(emitted.id)
      const isNewer =
        there === undefined ||
        emitted.timestampMs > there.timestampMs ||
        (emitted.timestampMs === there.timestampMs && emitted.version > there.version)
      if (isNewer) kept.set(emitted.id, emitted)
    }
    return kept
  }

  #start(): CaptureByTimestamp<DocumentVersion> {
    const { overlapMs, pageRows, maxRemembered } = this.#options
    const limits = {
      overlap: overlapOf(overlapMs),
      pageRows,
      maxPageRows: pageRows,
      maxPageBytes: 1_000,
      maxRemembered,
    }
    return new CaptureByTimestamp(this.#world(), resume(this.#stored), limits)
  }

  #world(): IndexWorld<DocumentVersion> {
    return {
      freeze: async () => {
        this.#effect()
        const view = [...this.documents.values()].toSorted(byTimestamp)
        return {
          read: async ({ fromMs, after, rows }) => {
            this.#effect()
            this.meanwhile()
            this.meanwhile = () => {}
            const wanted = view.filter(({ timestampMs }) => timestampMs >= fromMs)
            const start = after === undefined ? 0 : wanted.indexOf(after) + 1
            return { hits: wanted.slice(start, start + rows), bytes: 0 }
          },
          [Symbol.asyncDispose]: async () => {},
        }
      },
      emit: async (documents) => {
        this.#effect()
        this.emitted.push(...documents)
      },
      save: async ({ newestMs, settledMs }) => {
        this.#effect()
        this.#stored = { newestMs, settledMs }
      },
    }
  }

  #effect(): void {
    if (this.effectsLeft-- <= 0) throw new Dead()
  }
}

function byTimestamp(a: DocumentVersion, b: DocumentVersion): number {
  return a.timestampMs - b.timestampMs || (a.id < b.id ? -1 : 1)
}

const write = fc.record({
  kind: fc.constant('write' as const),
  id: fc.integer({ min: 0, max: 12 }).map(String),
  age: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  aheadMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(5_000) }),
})
const poll = fc.record({
  kind: fc.constant('poll' as const),
  diesAfter: fc.option(fc.nat(6), { nil: undefined, freq: 3 }),
  meanwhile: fc.array(write, { maxLength: 3 }),
})
const tick = fc.record({ kind: fc.constant('tick' as const), ms: fc.oneof(fc.nat(300), fc.nat(20_000)) })
const options = fc.record({
  overlapMs: fc.constantFrom(0, 500, 1_000, 4_000, 60_000),
  pageRows: fc.integer({ min: 1, max: 4 }),
  maxRemembered: fc.constantFrom(1, 5, 1_000),
})
const history = fc.array(fc.oneof(write, poll, tick), { maxLength: 60 })

type Happening =
  | { kind: 'tick'; ms: number }
  | Write
  | { kind: 'poll'; diesAfter?: number | undefined; meanwhile: Write[] }
type Write = { kind: 'write'; id: string; age: number; aheadMs: number }

async function play(model: Model, happenings: readonly Happening[]): Promise<void> {
  for (const happening of happenings) {
    if (happening.kind === 'tick') model.nowMs += happening.ms
    else if (happening.kind === 'write') model.write(happening.id, happening.age, happening.aheadMs)
    else {
      model.effectsLeft = happening.diesAfter ?? Number.POSITIVE_INFINITY
      model.meanwhile = () => {
        for (const { id, age, aheadMs } of happening.meanwhile) model.write(id, age, aheadMs)
      }
      await model.poll()
      model.effectsLeft = Number.POSITIVE_INFINITY
      model.meanwhile = () => {}
    }
  }
}

describe('capture by timestamp', () => {
  test('misses no document that is at most the overlap late, whatever is written meanwhile and wherever it dies', async () => {
    await fc.assert(
      fc.asyncProperty(options, history, async (chosen, happenings) => {
        const model = new Model(chosen)
        await play(model, happenings)
        await model.settle()
        expect(model.kept()).toEqual(model.documents)
      }),
      { numRuns: 2_000 },
    )
  })

  test('sends no version twice while it lives and its memory suffices', async () => {
    const unbroken = history.map((happenings) =>
      happenings.map((happening) =>
        happening.kind === 'poll' ? { ...happening, diesAfter: undefined } : happening,
      ),
    )
    await fc.assert(
      fc.asyncProperty(options, unbroken, async (chosen, happenings) => {
        const model = new Model({ ...chosen, maxRemembered: 1_000 })
        await play(model, happenings)
        await model.settle()
        const names = model.emitted.map(({ id, version }) => `${id}@${version}`)
        expect(names.length).toBe(new Set(names).size)
      }),
      { numRuns: 500 },
    )
  })

  test('loses none of many documents with one timestamp, however small the pages', async () => {
    const model = new Model({ overlapMs: 0, pageRows: 2, maxRemembered: 1 })
    for (let id = 0; id < 9; id++) model.write(String(id), 0, 0)
    await model.poll()
    expect(model.emitted).toHaveLength(9)
  })

  test('leaves a document of the future until its time has come, and misses nothing meanwhile', async () => {
    const model = new Model({ overlapMs: 1_000, pageRows: 10, maxRemembered: 100 })
    model.write('tomorrow', 0, 86_400_000)
    await model.poll()
    model.nowMs += 60_000
    model.write('now', 0, 0)
    await model.poll()
    expect(model.emitted.map(({ id }) => id)).toEqual(['now'])
    model.nowMs = START_MS + 86_400_000
    await model.poll()
    expect(model.emitted.map(({ id }) => id)).toEqual(['now', 'tomorrow'])
  })
})
