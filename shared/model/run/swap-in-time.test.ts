/**
 * A promotion serves within 10 s, by construction: the clock and the store's answers are the test's. Each answer takes up
 * to 100 ms, one of them hangs, and loading the model takes two seconds.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { settingsSchema } from '@freshet/config/schema.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { StoredObject } from '@freshet/ports/object-store.ts'
import { modelLabel } from '@freshet/records/score-batch.ts'
import { type SteppedClock, steppedClock } from '@freshet/stage/clock.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pushModel } from '../bundle/bundle-store.ts'
import { demoBundle } from '../bundle/bundles.kit.ts'
import { promoteModel } from '../bundle/pointer-store.ts'
import type { LoadedModel } from './loaded-model.ts'
import { PromotedModel, type PromotedModelOptions } from './promoted-model.ts'

const WITHIN_MS = 10_000
const LOADING_MS = 2_000
const intervalMs = settingsSchema.parse({}).model.pointerIntervalMs
const demo = await demoBundle()

/** Answers when the clock says so; the `hangs`th answer after `promoted` never comes. */
class SlowStore extends MemoryObjectStore {
  readonly #clock: SteppedClock
  readonly #answerMs: number
  readonly #hangs: number
  isPromoted = false
  #asked = 0

  constructor(clock: SteppedClock, { answerMs, hangs }: { answerMs: number; hangs: number }) {
    super(() => clock.nowMs())
    this.#clock = clock
    this.#answerMs = answerMs
    this.#hangs = hangs
  }

  override async get(key: string, signal?: AbortSignal): Promise<StoredObject> {
    if (signal === undefined) return super.get(key) // the promotion's own
    const isHanging = this.isPromoted && this.#asked++ === this.#hangs
    await this.#clock.sleep(isHanging ? 3_600_000 : this.#answerMs, signal)
    if (signal.aborted) throw new FreshetError('DEADLINE', `get ${key}: no answer in time`)
    return super.get(key)
  }
}

async function push(store: MemoryObjectStore, version: string): Promise<void> {
  await pushModel(store, { ...demo, spec: { ...demo.spec, version } })
}

/** Everything that waits for nothing but the clock, waits for it after this. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn()
}

test('a promotion serves within 10 s, whenever it comes and whichever answer of the store hangs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        promotedAfterMs: fc.integer({ min: 0, max: 2 * intervalMs }),
        answerMs: fc.integer({ min: 0, max: 100 }),
        hangs: fc.integer({ min: 0, max: 8 }),
      }),
      async ({ promotedAfterMs, ...answers }) => {
        const clock = steppedClock()
        const store = new SlowStore(clock, answers)
        for (const version of ['1', '2']) await push(store, version)
        await promoteModel(store, { name: demo.spec.name, version: '1' }, 0)
        const served = new Map<string, number>()
        const start: PromotedModelOptions['start'] = async ({ spec }) => {
          await clock.sleep(LOADING_MS)
          const pool = { threads: 1, runRows: 1, [Symbol.asyncDispose]: async () => {} }
          return { label: modelLabel(spec), pool } as unknown as LoadedModel
        }
        const models = PromotedModel.follow({
          ...{ store, clock, intervalMs, start, pool: { threads: 1, runRows: 1 }, log: quietLog },
          onModel: (label) => void served.set(label, clock.nowMs()),
          onRefused: () => {},
          onTrouble: () => {},
        })
        const stepUntil = async (isOver: () => boolean) => {
          for (await settled(); !isOver(); await settled()) clock.step()
        }
        await stepUntil(() => served.has('arrival-delay@1'))
        let isTime = false
        void clock.sleep(promotedAfterMs).then(() => {
          isTime = true
        })
        await stepUntil(() => isTime)
        await promoteModel(store, { name: demo.spec.name, version: '2' }, clock.nowMs())
        store.isPromoted = true
        const promotedAtMs = clock.nowMs()
        await stepUntil(() => served.has('arrival-delay@2') || clock.nowMs() > promotedAtMs + 2 * WITHIN_MS)
        expect(served.get('arrival-delay@2')! - promotedAtMs).toBeLessThanOrEqual(WITHIN_MS)
        await models[Symbol.asyncDispose]()
      },
    ),
    { numRuns: 60 },
  )
})
