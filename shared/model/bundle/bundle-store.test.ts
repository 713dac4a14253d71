import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { expect, test } from 'vitest'
import { pushModel } from './bundle-store.ts'
import { fixtureBundle, fixtureVersion, storeWith, twoOutputs } from './bundles.kit.ts'
import { loadPromotedModel, promoteModel } from './pointer-store.ts'

const never = new AbortController().signal

test('what is pushed and promoted is what is loaded', async () => {
  const store = await storeWith('1')
  await promoteModel(store, fixtureVersion('1'), 5)
  const { bundle, identity } = await loadPromotedModel(store, never)
  expect(bundle).toEqual(await fixtureBundle('two-outputs.onnx', twoOutputs, '1'))
  expect(identity).toEqual({ name: 'fixture', version: '1', generation: 1 })
})

test('the same again is no error, other bytes under the same version are refused', async () => {
  const store = await storeWith('1')
  const bundle = await fixtureBundle('two-outputs.onnx', twoOutputs, '1')
  await pushModel(store, bundle)
  const golden = [...bundle.golden, ...bundle.golden]
  await expect(pushModel(store, { ...bundle, golden })).rejects.toMatchObject({
    code: 'MODEL_VERSION_TAKEN',
  })
})

test('a stored model.onnx that is not what model.json names is put back, and other bytes are still refused', async () => {
  const store = await storeWith('1')
  await promoteModel(store, fixtureVersion('1'), 5)
  const key = 'models/fixture/1/model.onnx'
  const { body } = await store.get(key)
  await store.put(key, body.subarray(0, 20))
  const other = await fixtureBundle('fixed-rows.onnx', twoOutputs, '1')
  await expect(pushModel(store, other)).rejects.toMatchObject({ code: 'MODEL_VERSION_TAKEN' })
  await pushModel(store, await fixtureBundle('two-outputs.onnx', twoOutputs, '1'))
  expect((await store.get(key)).body).toEqual(body)
  expect(await promoteModel(store, fixtureVersion('1'), 6)).toMatchObject({ generation: 1 })
})

test('a model that is not the one its spec names is not uploaded', async () => {
  const store = new MemoryObjectStore()
  const bundle = await fixtureBundle('two-outputs.onnx', twoOutputs)
  const pushing = pushModel(store, { ...bundle, onnx: Buffer.from('other') })
  await expect(pushing).rejects.toMatchObject({ code: 'MODEL_HASH' })
  expect(await store.list('')).toEqual([])
})
