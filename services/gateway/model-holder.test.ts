import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { FreshetError } from '@freshet/errors/errors.ts'
import type { ModelBundle } from '@freshet/model/bundle.ts'
import { promoteModel, pushModel } from '@freshet/model/model-store.ts'
import { demoBundle } from '@freshet/model/test-bundles.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ModelHolder } from './model-holder.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }
const patience = { timeout: 20_000 }

/** A holder over a store of the test's own, running until the test is over. */
function holding() {
  const store = new MemoryObjectStore()
  const labels: string[] = []
  const models = new ModelHolder(store, {
    intervalMs: 10,
    threads: 1,
    clock: systemClock,
    log,
    onModel: (label) => labels.push(label),
  })
  const stop = new AbortController()
  const run = models.run(stop.signal)
  onTestFinished(async () => {
    stop.abort()
    await run
    await models[Symbol.asyncDispose]()
  })
  const promote = async (bundle: ModelBundle) => {
    await pushModel(store, bundle)
    await promoteModel(store, bundle.spec, 0)
  }
  return { store, models, labels, promote }
}

function versionOf(bundle: ModelBundle, version: string, more: Partial<ModelBundle> = {}): ModelBundle {
  return { ...bundle, ...more, spec: { ...bundle.spec, version } }
}

test('the model serves once it is promoted, and the reason is known until then', async () => {
  const { models, labels, promote } = holding()
  await expect.poll(() => models.fault?.code, patience).toBe('MODEL_MISSING')
  const bundle = await demoBundle()
  await promote(bundle)
  await expect.poll(() => models.serving?.label, patience).toBe(`${bundle.spec.name}@${bundle.spec.version}`)
  expect(models.fault).toBeUndefined()
  expect(labels).toEqual([models.serving?.label])
})

test('a model that fails its golden rows never serves, and the one before goes on', async () => {
  const { store, models, promote } = holding()
  const bundle = await demoBundle()
  await promote(bundle)
  await expect.poll(() => models.serving, patience).toBeDefined()
  const [row] = bundle.golden
  const wrong = { ...row!, outputs: Object.fromEntries(Object.keys(row!.outputs).map((name) => [name, 1e6])) }
  await promote(versionOf(bundle, 'wrong', { golden: [wrong] }))
  await expect.poll(() => models.fault?.code, patience).toBe('MODEL_GOLDEN')
  expect(models.serving?.identity.generation).toBe(1)
  await promoteModel(store, bundle.spec, 0)
  await expect.poll(() => models.serving?.identity.generation, patience).toBe(3)
  expect(models.fault).toBeUndefined()
})

test('while the store is away the model that serves goes on, and the next one comes when it is back', async () => {
  const { store, models, promote } = holding()
  const bundle = await demoBundle()
  await promote(bundle)
  await expect.poll(() => models.serving, patience).toBeDefined()
  const away = vi.spyOn(store, 'get').mockRejectedValue(new FreshetError('S3_UNREACHABLE', 'away'))
  await expect.poll(() => models.fault?.code, patience).toBe('S3_UNREACHABLE')
  expect(models.serving?.identity.generation).toBe(1)
  away.mockRestore()
  await promote(versionOf(bundle, 'next'))
  await expect.poll(() => models.serving?.identity.generation, patience).toBe(2)
})
