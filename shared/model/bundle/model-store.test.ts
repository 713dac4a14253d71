import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { describe, expect, test } from 'vitest'
import { BUNDLE_FILES, encodeBundle, type ModelBundle } from './bundle.ts'
import { fixtureBundle } from './bundles.kit.ts'
import { listModels } from './list-models.ts'
import {
  loadPromotedModel,
  promoteAgain,
  promoteModel,
  pushModel,
  readPointer,
  rollBackModel,
} from './model-store.ts'
import { clearShadow, readShadow, setShadow } from './shadow-pointer.ts'

const outputs: ModelBundle['spec']['outputs'] = [
  { name: 'ten', tensor: 'scores', column: 1 },
  { name: 'label', tensor: 'label', column: 0 },
]
const never = new AbortController().signal
const version = (name: string) => ({ name: 'fixture', version: name })

async function storeWith(...versions: string[]): Promise<MemoryObjectStore> {
  const store = new MemoryObjectStore()
  for (const name of versions) await pushModel(store, await fixtureBundle('two-outputs.onnx', outputs, name))
  return store
}

describe('push', () => {
  test('what is pushed and promoted is what is loaded', async () => {
    const store = await storeWith('1')
    await promoteModel(store, version('1'), 5)
    const { bundle, identity } = await loadPromotedModel(store, never)
    expect(bundle).toEqual(await fixtureBundle('two-outputs.onnx', outputs, '1'))
    expect(identity).toEqual({ name: 'fixture', version: '1', generation: 1 })
  })

  test('the same again is no error, other bytes under the same version are refused', async () => {
    const store = await storeWith('1')
    const bundle = await fixtureBundle('two-outputs.onnx', outputs, '1')
    await pushModel(store, bundle)
    const golden = [...bundle.golden, ...bundle.golden]
    await expect(pushModel(store, { ...bundle, golden })).rejects.toMatchObject({
      code: 'MODEL_VERSION_TAKEN',
    })
  })

  test('a model that is not the one its spec names is not uploaded', async () => {
    const store = new MemoryObjectStore()
    const bundle = await fixtureBundle('two-outputs.onnx', outputs)
    const pushing = pushModel(store, { ...bundle, onnx: Buffer.from('other') })
    await expect(pushing).rejects.toMatchObject({ code: 'MODEL_HASH' })
    expect(await store.list('')).toEqual([])
  })
})

describe('promote', () => {
  test('each promotion counts, a rollback too, so that it outranks what it undoes', async () => {
    const store = await storeWith('1', '2')
    expect(await readPointer(store)).toBeNull()
    expect(await promoteModel(store, version('1'), 10)).toMatchObject({ modelVersion: '1', generation: 1 })
    expect(await promoteModel(store, version('2'), 20)).toMatchObject({ modelVersion: '2', generation: 2 })
    const back = await promoteModel(store, version('1'), 30)
    expect(back).toMatchObject({ modelVersion: '1', generation: 3, promotedAtMs: 30 })
    expect(await readPointer(store)).toEqual(back)
  })

  test('promoting the current model again changes nothing', async () => {
    const store = await storeWith('1')
    const first = await promoteModel(store, version('1'), 10)
    expect(await promoteModel(store, version('1'), 20)).toEqual(first)
  })

  test('of promotions at the same time each gets a generation of its own', async () => {
    const store = await storeWith('1', '2', '3')
    const pointers = await Promise.all(['1', '2', '3'].map((name) => promoteModel(store, version(name), 10)))
    expect(pointers.map(({ generation }) => generation).sort()).toEqual([1, 2, 3])
  })

  test('a version that was never pushed is refused', async () => {
    const store = await storeWith('1')
    await expect(promoteModel(store, version('9'), 10)).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    expect(await readPointer(store)).toBeNull()
  })

  test('a version whose stored bytes changed is refused, also when it is the current one', async () => {
    const store = await storeWith('1', '2')
    const first = await promoteModel(store, version('1'), 10)
    for (const name of ['1', '2']) {
      await store.put(`models/fixture/${name}/model.onnx`, Buffer.from('other'))
      await expect(promoteModel(store, version(name), 20)).rejects.toMatchObject({ code: 'MODEL_HASH' })
    }
    expect(await readPointer(store)).toEqual(first)
  })

  test('a current version that was replaced whole is not confirmed', async () => {
    const store = await storeWith('1')
    await promoteModel(store, version('1'), 10)
    const files = encodeBundle(await fixtureBundle('fixed-rows.onnx', outputs, '1'))
    for (const file of BUNDLE_FILES) await store.put(`models/fixture/1/${file}`, Buffer.from(files[file]))
    await expect(promoteModel(store, version('1'), 20)).rejects.toThrow('is not the model that was promoted')
  })
})

describe('promote again', () => {
  test('the current model gets a generation of its own, and going back leads past it', async () => {
    const store = await storeWith('1', '2')
    await promoteModel(store, version('1'), 10)
    await promoteModel(store, version('2'), 20)
    expect(await promoteAgain(store, undefined, 30)).toMatchObject({ modelVersion: '2', generation: 3 })
    expect(await promoteAgain(store, version('2'), 40)).toMatchObject({ modelVersion: '2', generation: 4 })
    expect(await rollBackModel(store, 50)).toMatchObject({ modelVersion: '1', generation: 5 })
  })

  test('a model that is not current is not promoted by mistake', async () => {
    const store = await storeWith('1', '2')
    await expect(promoteAgain(store, undefined, 10)).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    await promoteModel(store, version('1'), 10)
    await expect(promoteAgain(store, version('2'), 20)).rejects.toMatchObject({ code: 'MODEL_NOT_CURRENT' })
    expect(await readPointer(store)).toMatchObject({ modelVersion: '1', generation: 1 })
  })
})

describe('roll back', () => {
  test('leads to the model that was current before, then to the one before that', async () => {
    const store = await storeWith('1', '2', '3')
    for (const name of ['1', '2', '3']) await promoteModel(store, version(name), 10)
    expect(await rollBackModel(store, 40)).toMatchObject({
      modelVersion: '2',
      generation: 4,
      promotedAtMs: 40,
    })
    expect(await rollBackModel(store, 50)).toMatchObject({ modelVersion: '1', generation: 5 })
    await expect(rollBackModel(store, 60)).rejects.toMatchObject({ code: 'MODEL_NO_PREVIOUS' })
    expect(await readPointer(store)).toMatchObject({ modelVersion: '1', generation: 5 })
  })

  test('an older model that is not what it was then, or is gone, is refused', async () => {
    const store = await storeWith('1', '2')
    await promoteModel(store, version('1'), 10)
    const now = await promoteModel(store, version('2'), 20)
    const files = encodeBundle(await fixtureBundle('fixed-rows.onnx', outputs, '1'))
    for (const file of BUNDLE_FILES) await store.put(`models/fixture/1/${file}`, Buffer.from(files[file]))
    await expect(rollBackModel(store, 30)).rejects.toMatchObject({ code: 'MODEL_HASH' })
    for (const file of BUNDLE_FILES) await store.delete(`models/fixture/1/${file}`)
    await expect(rollBackModel(store, 30)).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    expect(await readPointer(store)).toEqual(now)
  })

  test('of two at the same time one goes back, and the other hears of it instead of going back further', async () => {
    const store = await storeWith('1', '2', '3')
    for (const name of ['1', '2', '3']) await promoteModel(store, version(name), 10)
    const both = await Promise.allSettled([rollBackModel(store, 20), rollBackModel(store, 20)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'OBJECT_CHANGED' },
    })
    expect(await readPointer(store)).toMatchObject({ modelVersion: '2', generation: 4 })
  })
})

describe('list', () => {
  test('names every version with its size, the latest pushed first; pointers and reports are no models', async () => {
    let nowMs = 100
    const store = new MemoryObjectStore(() => nowMs)
    for (const name of ['1', '2']) {
      const bundle = await fixtureBundle('two-outputs.onnx', outputs, name)
      await pushModel(store, bundle)
      nowMs += 100
    }
    await promoteModel(store, version('1'), nowMs)
    await setShadow(store, version('2'), nowMs)
    await store.put('models/shadow/fixture@2/model.json', Buffer.from('{}'))
    await store.put('models/fixture/3/model.onnx', Buffer.from('half a push'))
    const bytes = expect.any(Number)
    expect(await listModels(store)).toMatchObject([
      { name: 'fixture', version: '3', bytes: 11, pushedAtMs: null },
      { name: 'fixture', version: '2', bytes, pushedAtMs: 200 },
      { name: 'fixture', version: '1', bytes, pushedAtMs: 100 },
    ])
  })
})

describe('shadow', () => {
  test('is a pushed model, replaces the one before, and goes', async () => {
    const store = await storeWith('1', '2')
    expect(await readShadow(store)).toBeNull()
    await setShadow(store, version('1'), 10)
    const second = await setShadow(store, version('2'), 20)
    expect(await setShadow(store, version('2'), 30)).toEqual(second)
    expect(await readShadow(store)).toEqual(second)
    await clearShadow(store)
    await clearShadow(store)
    expect(await readShadow(store)).toBeNull()
  })

  test('a model that was never pushed is none', async () => {
    const store = await storeWith('1')
    await expect(setShadow(store, version('9'), 10)).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    expect(await readShadow(store)).toBeNull()
  })
})

describe('load', () => {
  test('nothing promoted is MODEL_MISSING, which waiting can mend', async () => {
    const loading = loadPromotedModel(await storeWith('1'), never)
    await expect(loading).rejects.toMatchObject({ code: 'MODEL_MISSING', retryable: true })
  })

  test('a model whose bytes changed in the store is refused', async () => {
    const store = await storeWith('1')
    await promoteModel(store, version('1'), 10)
    await store.put('models/fixture/1/model.onnx', Buffer.from('other'))
    await expect(loadPromotedModel(store, never)).rejects.toMatchObject({ code: 'MODEL_HASH' })
  })

  test('a pointer of a later format is refused by name', async () => {
    const store = await storeWith('1')
    await store.put('models/current.json', Buffer.from('{"version":2}'))
    await expect(readPointer(store)).rejects.toThrow('model pointer version 2, this build reads 1')
  })
})
