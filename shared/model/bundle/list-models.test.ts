import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { expect, test } from 'vitest'
import { pushModel } from './bundle-store.ts'
import { fixtureBundle, fixtureVersion, twoOutputs } from './bundles.kit.ts'
import { listModels } from './list-models.ts'
import { promoteModel } from './pointer-store.ts'
import { setShadow } from './shadow-pointer.ts'

test('a list names every version with its size, the latest pushed first; pointers and reports are no models', async () => {
  let nowMs = 100
  const store = new MemoryObjectStore(() => nowMs)
  for (const name of ['1', '2']) {
    const bundle = await fixtureBundle('two-outputs.onnx', twoOutputs, name)
    await pushModel(store, bundle)
    nowMs += 100
  }
  await promoteModel(store, fixtureVersion('1'), nowMs)
  await setShadow(store, fixtureVersion('2'), nowMs)
  await store.put('models/shadow/fixture@2/model.json', Buffer.from('{}'))
  await store.put('models/fixture/3/model.onnx', Buffer.from('half a push'))
  const bytes = expect.any(Number)
  expect(await listModels(store)).toMatchObject([
    { name: 'fixture', version: '3', bytes: 11, pushedAtMs: null },
    { name: 'fixture', version: '2', bytes, pushedAtMs: 200 },
    { name: 'fixture', version: '1', bytes, pushedAtMs: 100 },
  ])
})
