import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { describe, expect, test } from 'vitest'
import { BUNDLE_FILES, encodeBundle, type ModelBundle } from './bundle.ts'
import { fixtureBundle } from './bundles.kit.ts'
import { loadPromotedModel, promoteModel, pushModel, readPointer } from './model-store.ts'

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
