import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { manifestRecord } from '@freshet/records/manifest.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BUNDLE_FILES, encodeBundle } from './bundle.ts'
import { pushModel } from './bundle-store.ts'
import { fixtureBundle, fixtureVersion, storeWith, twoOutputs } from './bundles.kit.ts'
import type { ModelPointer } from './model-pointer.ts'
import { loadPromotedModel, promoteAgain, promoteModel, readPointer, rollBackModel } from './pointer-store.ts'

const never = new AbortController().signal

describe('promote', () => {
  test('each promotion counts, a rollback too, so that it outranks what it undoes', async () => {
    const store = await storeWith('1', '2')
    expect(await readPointer(store)).toBeNull()
    expect(await promoteModel(store, fixtureVersion('1'), 10)).toMatchObject({
      modelVersion: '1',
      generation: 1,
    })
    expect(await promoteModel(store, fixtureVersion('2'), 20)).toMatchObject({
      modelVersion: '2',
      generation: 2,
    })
    const back = await promoteModel(store, fixtureVersion('1'), 30)
    expect(back).toMatchObject({ modelVersion: '1', generation: 3, promotedAtMs: 30 })
    expect(await readPointer(store)).toEqual(back)
  })

  test('promoting the current model again changes nothing', async () => {
    const store = await storeWith('1')
    const first = await promoteModel(store, fixtureVersion('1'), 10)
    expect(await promoteModel(store, fixtureVersion('1'), 20)).toEqual(first)
  })

  test('of promotions at the same time each gets a generation of its own, and times go with generations', async () => {
    const store = await storeWith('1', '2', '3')
    const promotions = ['1', '2', '3'].map((name, at) =>
      promoteModel(store, fixtureVersion(name), 30 - 10 * at),
    )
    const pointers = (await Promise.all(promotions)).sort((a, b) => a.generation - b.generation)
    expect(new Set(pointers.map(({ generation }) => generation)).size).toBe(3)
    const times = pointers.map(({ promotedAtMs }) => promotedAtMs)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(await readPointer(store)).toEqual(pointers.at(-1))
  })

  test('a version that was never pushed is refused', async () => {
    const store = await storeWith('1')
    await expect(promoteModel(store, fixtureVersion('9'), 10)).rejects.toMatchObject({
      code: 'MODEL_MISSING',
    })
    expect(await readPointer(store)).toBeNull()
  })

  test('a version whose stored bytes changed is refused, also when it is the current one', async () => {
    const store = await storeWith('1', '2')
    const first = await promoteModel(store, fixtureVersion('1'), 10)
    for (const name of ['1', '2']) {
      await store.put(`models/fixture/${name}/model.onnx`, Buffer.from('other'))
      await expect(promoteModel(store, fixtureVersion(name), 20)).rejects.toMatchObject({
        code: 'MODEL_HASH',
      })
    }
    expect(await readPointer(store)).toEqual(first)
  })

  test('a current version that was replaced whole is not confirmed', async () => {
    const store = await storeWith('1')
    await promoteModel(store, fixtureVersion('1'), 10)
    const files = encodeBundle(await fixtureBundle('fixed-rows.onnx', twoOutputs, '1'))
    for (const file of BUNDLE_FILES) await store.put(`models/fixture/1/${file}`, Buffer.from(files[file]))
    await expect(promoteModel(store, fixtureVersion('1'), 20)).rejects.toThrow(
      'is not the model that was promoted',
    )
  })
})

describe('a promotion that stands still after it took its generation, while another comes to its end', () => {
  /** Has `other` come first, whole, when the pointer is about to be put. */
  function overtake(store: MemoryObjectStore, other: () => Promise<ModelPointer>): void {
    const put = store.put.bind(store)
    let isOvertaken = false
    store.put = async (key, ...more) => {
      if (key === POINTER && !isOvertaken) {
        isOvertaken = true
        await other()
      }
      return await put(key, ...more)
    }
  }

  test.each([
    ['the first ever', []],
    ['a later one', ['2', '3']],
  ])('goes on top of it: %s', async (_, before) => {
    const store = await storeWith('1', '2', '3')
    for (const name of before) await promoteModel(store, fixtureVersion(name), 10)
    overtake(store, () => promoteModel(store, fixtureVersion('2'), 20))
    const generation = before.length + 3
    const last = await promoteModel(store, fixtureVersion('1'), 30)
    expect(last).toMatchObject({ modelVersion: '1', generation })
    expect(last.previous[0]).toMatchObject({ modelVersion: '2', generation: generation - 1 })
    expect(await readPointer(store)).toEqual(last)
  })

  test.each([
    ['roll back', (store: MemoryObjectStore) => rollBackModel(store, 30)],
    ['promote again', (store: MemoryObjectStore) => promoteAgain(store, undefined, 30)],
  ])('leaves it alone and hears of it: %s', async (_, move) => {
    const store = await storeWith('1', '2', '3')
    for (const name of ['1', '2']) await promoteModel(store, fixtureVersion(name), 10)
    overtake(store, () => promoteModel(store, fixtureVersion('3'), 20))
    await expect(move(store)).rejects.toMatchObject({ code: 'OBJECT_CHANGED' })
    expect(await readPointer(store)).toMatchObject({ modelVersion: '3', generation: 4 })
  })
})

const POINTER = 'models/current.json'
const GENERATION = 'models/generation.json'
const DAMAGED = Buffer.from('{"version":1,"name":')
const YEAR_2020_SECONDS = Date.UTC(2020, 0) / 1_000

describe('a pointer that was', () => {
  async function storeAtGeneration3(): Promise<MemoryObjectStore> {
    const store = await storeWith('1', '2')
    for (const name of ['1', '2', '1']) await promoteModel(store, fixtureVersion(name), 10)
    return store
  }

  test('lost is followed by a higher generation than was ever given, of the same model or of another', async () => {
    const store = await storeAtGeneration3()
    await store.delete(POINTER)
    expect(await readPointer(store)).toBeNull()
    expect(await promoteModel(store, fixtureVersion('1'), 20)).toMatchObject({ generation: 4, previous: [] })
    await store.delete(POINTER)
    expect(await promoteModel(store, fixtureVersion('2'), 20)).toMatchObject({ generation: 5 })
  })

  test('put back as it was long ago is promoted over above all that came between', async () => {
    const store = await storeWith('1', '2')
    await promoteModel(store, fixtureVersion('1'), 10)
    const { body } = await store.get(POINTER)
    for (const name of ['2', '1']) await promoteModel(store, fixtureVersion(name), 10)
    await store.put(POINTER, body)
    expect(await promoteAgain(store, undefined, 20)).toMatchObject({ modelVersion: '1', generation: 4 })
  })

  test('damaged is named by whoever reads it, and replaced by a promotion by name only', async () => {
    const store = await storeAtGeneration3()
    await store.put(POINTER, DAMAGED)
    const named = { code: 'RECORD_MALFORMED', message: expect.stringContaining(POINTER) }
    await expect(readPointer(store)).rejects.toMatchObject(named)
    await expect(promoteAgain(store, undefined, 20)).rejects.toMatchObject(named)
    await expect(rollBackModel(store, 20)).rejects.toMatchObject(named)
    expect(await promoteModel(store, fixtureVersion('2'), 20)).toMatchObject({
      modelVersion: '2',
      generation: 4,
    })
    expect(await readPointer(store)).toMatchObject({ generation: 4 })
  })

  test('of a later build is not replaced', async () => {
    const store = await storeAtGeneration3()
    await store.put(POINTER, Buffer.from('{"version":2}'))
    await expect(promoteModel(store, fixtureVersion('2'), 20)).rejects.toMatchObject({
      code: 'RECORD_VERSION',
    })
  })

  test('made before generations were kept beside it is counted on from, and so is one whose count is damaged', async () => {
    const store = await storeAtGeneration3()
    await store.delete(GENERATION)
    expect(await promoteModel(store, fixtureVersion('2'), 20)).toMatchObject({ generation: 4 })
    await store.put(GENERATION, DAMAGED)
    expect(await promoteModel(store, fixtureVersion('1'), 20)).toMatchObject({ generation: 5 })
    await store.delete(POINTER)
    expect(await promoteModel(store, fixtureVersion('1'), 20)).toMatchObject({ generation: 6 })
  })

  test.each([
    ['damaged', (store: MemoryObjectStore) => store.put(POINTER, DAMAGED)],
    [
      'lost, and there is a snapshot',
      (store: MemoryObjectStore) => store.put('snapshots/manifest.json', MANIFEST),
    ],
    ['lost, and the count is damaged', (store: MemoryObjectStore) => store.put(GENERATION, DAMAGED)],
  ])(
    '%s, while nothing tells the last generation, is followed by one that no count reaches',
    async (_, spoil) => {
      const store = await storeAtGeneration3()
      await store.delete(POINTER)
      await store.delete(GENERATION)
      await spoil(store)
      const nowMs = Date.now()
      const { generation } = await promoteModel(store, fixtureVersion('1'), nowMs)
      expect(generation).toBeGreaterThan(YEAR_2020_SECONDS)
      expect(generation).toBeLessThan(2 ** 32)
      expect(await promoteModel(store, fixtureVersion('2'), nowMs)).toMatchObject({
        generation: generation + 1,
      })
    },
  )

  test('lost before anything was scored begins anew, also beside a snapshot without rows', async () => {
    const store = await storeWith('1')
    await store.put(
      'snapshots/manifest.json',
      Buffer.from(MANIFEST.toString().replace(/"base":\{.*?\}/, '"base":null')),
    )
    expect(await promoteModel(store, fixtureVersion('1'), Date.now())).toMatchObject({ generation: 1 })
  })
})

const MANIFEST = Buffer.from(
  manifestRecord.encode({
    version: 1,
    pipeline: 'air',
    sequence: 1,
    writtenAtMs: 0,
    writtenBy: { instance: 'a', attempt: 'b' },
    partitions: {
      0: {
        nextOffset: 1,
        base: { object: '0/base', rows: 1, bytes: 1, newestAsOfMs: 0 },
        deltas: [],
        retired: [],
      },
    },
  }),
)

test('each generation is above all before, whatever is lost or damaged between, if not all at once', async () => {
  const spoiled = fc.constantFrom('nothing', 'pointer lost', 'pointer damaged', 'count lost', 'count damaged')
  const bundle = await fixtureBundle('two-outputs.onnx', twoOutputs, '1')
  await fc.assert(
    fc.asyncProperty(fc.array(spoiled, { maxLength: 12 }), async (steps) => {
      const store = new MemoryObjectStore()
      await pushModel(store, bundle)
      let last = 0
      for (const what of steps) {
        const key = what.startsWith('pointer') ? POINTER : GENERATION
        if (what.endsWith('lost')) await store.delete(key)
        if (what.endsWith('damaged')) await store.put(key, DAMAGED)
        await promoteModel(store, fixtureVersion('1'), 10)
        const { generation } = await promoteAgain(store, undefined, 10)
        expect(generation).toBeGreaterThan(last)
        last = generation
      }
    }),
    { numRuns: 40 },
  )
})

describe('promote again', () => {
  test('above a generation that somebody knows of', async () => {
    const store = await storeWith('1')
    await promoteModel(store, fixtureVersion('1'), 10)
    expect(await promoteAgain(store, undefined, 20, { above: 8 })).toMatchObject({ generation: 9 })
    expect(await promoteAgain(store, undefined, 20, { above: 8 })).toMatchObject({ generation: 10 })
    const above = 2 ** 32 - 1
    await expect(promoteAgain(store, undefined, 20, { above })).rejects.toMatchObject({ code: 'USAGE' })
  })

  test('the current model gets a generation of its own, and going back leads past it', async () => {
    const store = await storeWith('1', '2')
    await promoteModel(store, fixtureVersion('1'), 10)
    await promoteModel(store, fixtureVersion('2'), 20)
    expect(await promoteAgain(store, undefined, 30)).toMatchObject({ modelVersion: '2', generation: 3 })
    expect(await promoteAgain(store, fixtureVersion('2'), 40)).toMatchObject({
      modelVersion: '2',
      generation: 4,
    })
    expect(await rollBackModel(store, 50)).toMatchObject({ modelVersion: '1', generation: 5 })
  })

  test('a model that is not current is not promoted by mistake', async () => {
    const store = await storeWith('1', '2')
    await expect(promoteAgain(store, undefined, 10)).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    await promoteModel(store, fixtureVersion('1'), 10)
    await expect(promoteAgain(store, fixtureVersion('2'), 20)).rejects.toMatchObject({
      code: 'MODEL_NOT_CURRENT',
    })
    expect(await readPointer(store)).toMatchObject({ modelVersion: '1', generation: 1 })
  })
})

describe('roll back', () => {
  test('leads to the model that was current before, then to the one before that', async () => {
    const store = await storeWith('1', '2', '3')
    for (const name of ['1', '2', '3']) await promoteModel(store, fixtureVersion(name), 10)
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
    await promoteModel(store, fixtureVersion('1'), 10)
    const now = await promoteModel(store, fixtureVersion('2'), 20)
    const files = encodeBundle(await fixtureBundle('fixed-rows.onnx', twoOutputs, '1'))
    for (const file of BUNDLE_FILES) await store.put(`models/fixture/1/${file}`, Buffer.from(files[file]))
    await expect(rollBackModel(store, 30)).rejects.toMatchObject({ code: 'MODEL_HASH' })
    for (const file of BUNDLE_FILES) await store.delete(`models/fixture/1/${file}`)
    await expect(rollBackModel(store, 30)).rejects.toMatchObject({ code: 'MODEL_MISSING' })
    expect(await readPointer(store)).toEqual(now)
  })

  test('of two at the same time one goes back, and the other hears of it instead of going back further', async () => {
    const store = await storeWith('1', '2', '3')
    for (const name of ['1', '2', '3']) await promoteModel(store, fixtureVersion(name), 10)
    const both = await Promise.allSettled([rollBackModel(store, 20), rollBackModel(store, 20)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'OBJECT_CHANGED' },
    })
    expect(await readPointer(store)).toMatchObject({ modelVersion: '2', generation: 4 })
  })
})

describe('load', () => {
  test('nothing promoted is MODEL_MISSING, which waiting can mend', async () => {
    const loading = loadPromotedModel(await storeWith('1'), never)
    await expect(loading).rejects.toMatchObject({ code: 'MODEL_MISSING', retryable: true })
  })

  test('a model whose bytes changed in the store is refused', async () => {
    const store = await storeWith('1')
    await promoteModel(store, fixtureVersion('1'), 10)
    await store.put('models/fixture/1/model.onnx', Buffer.from('other'))
    await expect(loadPromotedModel(store, never)).rejects.toMatchObject({ code: 'MODEL_HASH' })
  })

  test('a pointer of a later format is refused by name', async () => {
    const store = await storeWith('1')
    await store.put('models/current.json', Buffer.from('{"version":2}'))
    await expect(readPointer(store)).rejects.toThrow('model pointer version 2, this build reads 1')
  })
})
