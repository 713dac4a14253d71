import { fileURLToPath } from 'node:url'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import { type ModelBundle, readBundleFolder } from '@freshet/model/bundle.ts'
import { promoteModel, pushModel } from '@freshet/model/model-store.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { PromotedModel } from './promoted-model.ts'

const { signal } = new AbortController()
let demo: ModelBundle

beforeAll(async () => {
  demo = await readBundleFolder(fileURLToPath(new URL('../../../infra/demo/model', import.meta.url)))
})

/** The demo's model under another version; `damaged`: its author claims other scores than it gives. */
async function promote(store: MemoryObjectStore, version: string, damaged = false): Promise<void> {
  const golden = demo.golden.map((row) => ({
    ...row,
    outputs: damaged ? { arrival_delay_minutes: 10_000 } : row.outputs,
  }))
  await pushModel(store, { ...demo, golden, spec: { ...demo.spec, version } })
  await promoteModel(store, { name: demo.spec.name, version }, 0)
}

function world(store = new MemoryObjectStore()) {
  const used: string[] = []
  const errors: string[] = []
  const metrics = new Metrics()
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (message: string, error: unknown) => errors.push(`${message}: ${(error as FreshetError).code}`),
  }
  const options = {
    store,
    pool: { threads: 1, runRows: 64 },
    intervalMs: 5,
    clock: systemClock,
    telemetry: { log, metrics },
    onModel: (label: string) => used.push(label),
  }
  return { store, options, used, errors, refused: () => metrics.values()['freshet.scorer.models_refused'] }
}

function labelOf(models: PromotedModel): string {
  using model = models.use()
  return model.label
}

describe('the promoted model', () => {
  test('is waited for while there is none, with one line that says so', async () => {
    const { store, options, errors } = world()
    const opening = PromotedModel.open(options, signal)
    await vi.waitFor(() => expect(errors).toEqual(['waiting for a model: MODEL_MISSING']))
    await promote(store, '1')
    await using models = await opening
    expect(labelOf(models!)).toBe('arrival-delay@1')
  })

  test('is not waited for once the service stops', async () => {
    const stop = new AbortController()
    const opening = PromotedModel.open(world().options, stop.signal)
    stop.abort()
    expect(await opening).toBeNull()
  })

  test('is not waited for when the store will never give it', async () => {
    const { options, store } = world()
    vi.spyOn(store, 'get').mockRejectedValue(new FreshetError('S3_UNAUTHORIZED', 'no'))
    await expect(PromotedModel.open(options, signal)).rejects.toMatchObject({ code: 'S3_UNAUTHORIZED' })
  })

  test('is replaced by the next one without closing it under a batch', async () => {
    const { store, options, used } = world()
    await promote(store, '1')
    await using models = await PromotedModel.open(options, signal)
    const width = demo.spec.inputs.columns.length
    {
      using first = models!.use()
      await promote(store, '2')
      await vi.waitFor(() => expect(used).toEqual(['arrival-delay@1', 'arrival-delay@2']), 5_000)
      expect(await first.pool.run(new Float32Array(width), 1, signal)).toHaveLength(1)
    }
    using second = models!.use()
    expect(second.identity).toEqual({ name: 'arrival-delay', version: '2', generation: 2 })
    expect(await second.pool.run(new Float32Array(width), 1, signal)).toHaveLength(1)
  })

  test('that fails its golden rows is refused once, and the one before serves on until the next', async () => {
    const { store, options, used, errors, refused } = world()
    await promote(store, '1')
    await using models = await PromotedModel.open(options, signal)
    await promote(store, '2', true)
    await vi.waitFor(() => expect(errors).toEqual(['arrival-delay@2 is refused: MODEL_GOLDEN']), 5_000)
    expect(labelOf(models!)).toBe('arrival-delay@1')
    await promote(store, '3')
    await vi.waitFor(() => expect(used).toEqual(['arrival-delay@1', 'arrival-delay@3']), 5_000)
    expect(refused()).toBe(1)
  })

  test('serves on while the store is away', async () => {
    const { store, options, errors } = world()
    await promote(store, '1')
    await using models = await PromotedModel.open(options, signal)
    vi.spyOn(store, 'get').mockRejectedValue(new FreshetError('S3_UNREACHABLE', 'away'))
    await vi.waitFor(() =>
      expect(errors).toEqual(['the promoted model cannot be read; the last one serves on: S3_UNREACHABLE']),
    )
    expect(labelOf(models!)).toBe('arrival-delay@1')
  })
})
