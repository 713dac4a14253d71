/** Deletes in a real Elasticsearch, found through real Kafka and S3; only the scorer is played. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Pipeline } from '../pipeline.kit.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const WAIT = { timeout: 60_000, interval: 50 }

describe('where keys name their index', () => {
  let pipeline: Pipeline
  beforeAll(async () => {
    pipeline = await Pipeline.open()
    pipeline.startPoller()
    await pipeline.startScorer()
  })
  afterAll(() => pipeline[Symbol.asyncDispose]())

  /** An index of these documents, all captured and stored, and swept once. */
  async function indexOf(name: string, ...ids: readonly string[]): Promise<string> {
    const index = `${pipeline.prefix}${name}`
    await pipeline.createIndex(index)
    const before = pipeline.sweeps('final')
    await pipeline.write(index, Object.fromEntries(ids.map((id) => [id, { n: 1 }])))
    await vi.waitFor(() => {
      for (const id of ids) expect(pipeline.standing(`${index}/${id}`)).toBe('lives')
      expect(pipeline.sweeps('final')).toBeGreaterThan(before)
    }, WAIT)
    return index
  }

  test('a deleted document’s key becomes a tombstone', async () => {
    const index = await indexOf('deleted', 'a', 'b', 'c')
    const beforeMs = Date.now()
    await pipeline.delete(index, 'b')
    await vi.waitFor(() => expect(pipeline.standing(`${index}/b`)).toBe('deleted'), WAIT)
    const sweptAt = () => pipeline.metrics.values()['freshet.sweep.swept_at']
    await vi.waitFor(() => expect(sweptAt()).toBeGreaterThanOrEqual(beforeMs / 1_000), WAIT)
    expect(pipeline.standing(`${index}/a`)).toBe('lives')
    expect(pipeline.standing(`${index}/c`)).toBe('lives')
  })

  test('a document created during the sweep lives', async () => {
    const index = await indexOf('created', 'a', 'b')
    const release = pipeline.holdScorer() // so the sweep waits for the snapshot between its scan and its tombstones
    await pipeline.write(index, { c: { n: 1 } })
    const scanned = pipeline.progress('sweep')
    await pipeline.delete(index, 'a')
    await pipeline.delete(index, 'b')
    await vi.waitFor(() => expect(pipeline.progress('sweep')).toBeGreaterThan(scanned), WAIT)
    await pipeline.write(index, { a: { n: 2 } })
    release()
    await vi.waitFor(() => {
      expect(pipeline.standing(`${index}/b`)).toBe('deleted')
      expect(pipeline.standing(`${index}/a`)).toBe('lives')
      expect(pipeline.newest.get(`${index}/a`)?.source?.toString()).toBe('{"n":2}')
    }, WAIT)
    const final = pipeline.sweeps('final')
    await pipeline.delete(index, 'c') // one more sweep, from beginning to end
    await vi.waitFor(() => expect(pipeline.sweeps('final')).toBeGreaterThan(final), WAIT)
    expect(pipeline.standing(`${index}/a`)).toBe('lives')
  })

  test('an idle index costs no sweep, nor does one that is only written', async () => {
    const index = await indexOf('idle', 'a', 'z')
    const sweeps = () => pipeline.sweeps('final') + pipeline.sweeps('partial') + pipeline.sweeps('failed')
    await pipeline.delete(index, 'z')
    await vi.waitFor(() => {
      expect(pipeline.standing(`${index}/z`)).toBe('deleted')
      expect(pipeline.metrics.values()['freshet.sweep.due']).toBe(0)
    }, WAIT)
    const before = sweeps()
    for (const id of ['b', 'c', 'd']) {
      await pipeline.write(index, { [id]: { n: 1 } })
      await vi.waitFor(() => expect(pipeline.standing(`${index}/${id}`)).toBe('lives'), WAIT)
    }
    expect(sweeps()).toBe(before)
  })

  test('an index that is gone has its keys deleted after the grace, and its cursor is taken out', async () => {
    const index = await indexOf('gone', 'a', 'b')
    const stays = await indexOf('stays', 'a')
    const { [index]: settings } = await pipeline.client.indices.getSettings({ index })
    const cursor = `${settings?.settings?.index?.uuid}/0`
    expect([...(await pipeline.cursors()).keys()]).toContain(cursor)
    await pipeline.client.indices.delete({ index })
    await vi.waitFor(() => {
      expect(pipeline.standing(`${index}/a`)).toBe('deleted')
      expect(pipeline.standing(`${index}/b`)).toBe('deleted')
    }, WAIT)
    await vi.waitFor(async () => expect([...(await pipeline.cursors()).keys()]).not.toContain(cursor), WAIT)
    expect(pipeline.standing(`${stays}/a`)).toBe('lives')
  })

  test('re-created index: keys that did not come back are deleted, the others live on', async () => {
    const index = await indexOf('again', 'a', 'b')
    await pipeline.client.indices.delete({ index })
    await pipeline.createIndex(index)
    await pipeline.write(index, { b: { n: 2 }, c: { n: 2 } })
    await vi.waitFor(() => {
      expect(pipeline.standing(`${index}/a`)).toBe('deleted')
      expect(pipeline.newest.get(`${index}/b`)?.source?.toString()).toBe('{"n":2}')
      expect(pipeline.standing(`${index}/c`)).toBe('lives')
    }, WAIT)
  })
})

test('a field key that changed deletes the old key', async () => {
  await using pipeline = await Pipeline.open({ FRESHET_ELASTICSEARCH_KEY: 'field:sku' })
  pipeline.startPoller()
  await pipeline.startScorer()
  const index = `${pipeline.prefix}products`
  await pipeline.createIndex(index)
  await pipeline.write(index, { 1: { sku: 'red' }, 2: { sku: 'blue' } })
  await vi.waitFor(() => expect(pipeline.standing('red')).toBe('lives'), WAIT)
  await pipeline.write(index, { 1: { sku: 'green' } })
  await vi.waitFor(() => {
    expect(pipeline.standing('green')).toBe('lives')
    expect(pipeline.standing('red')).toBe('deleted')
  }, WAIT)
  expect(pipeline.standing('blue')).toBe('lives')
})

/** The older index is in the hands of one poller; both held shards of the gone one. */
test('where indices share keys, no poller deletes a gone index’s keys that live in an older index of another', async () => {
  await using pipeline = await Pipeline.open({ FRESHET_ELASTICSEARCH_KEY: 'id' })
  pipeline.startPoller('poller-1')
  pipeline.startPoller('poller-2')
  await pipeline.startScorer()
  const ids = Array.from({ length: 40 }, (_, i) => `${i}`)
  const settings = { number_of_shards: 6 }
  const writeAll = async (index: string, name: (id: string) => string, body: { settings?: object } = {}) => {
    await pipeline.createIndex(index, body)
    await pipeline.write(index, Object.fromEntries(ids.map((id) => [name(id), { index }])))
    await vi.waitFor(() => {
      for (const id of ids) expect(JSON.parse(`${pipeline.newest.get(name(id))?.source}`)).toEqual({ index })
    }, WAIT)
  }
  const [oldest, older, gone] = ['oldest', 'older', 'gone'].map((name) => `${pipeline.prefix}${name}`)
  await writeAll(oldest!, (id) => `own-${id}`, { settings })
  await writeAll(older!, (id) => id)
  await writeAll(gone!, (id) => id, { settings })

  await pipeline.client.indices.delete({ index: gone! })
  await vi.waitFor(async () => {
    const ofGone = [...(await pipeline.cursors()).values()].filter(({ index }) => index === gone)
    expect(ofGone.filter(({ deadEpochs }) => deadEpochs.length > 0)).toHaveLength(6)
  }, WAIT)
  // What every poller may delete: when that is done, each has had its chance.
  await pipeline.client.indices.delete({ index: oldest! })
  await vi.waitFor(() => {
    for (const id of ids) expect(pipeline.standing(`own-${id}`)).toBe('deleted')
  }, WAIT)
  expect(ids.filter((id) => pipeline.standing(id) !== 'lives')).toEqual([])
})

test('with S3 away the sweep is tried again, and capture goes on', async () => {
  await using pipeline = await Pipeline.open({
    FRESHET_S3_ENDPOINT: 'http://127.0.0.1:1',
    FRESHET_S3_REQUEST_TIMEOUT_MS: '100',
  })
  pipeline.startPoller()
  await pipeline.startScorer({ hasS3: false })
  const index = `${pipeline.prefix}documents`
  await pipeline.createIndex(index)
  await pipeline.write(index, { a: {} })
  await vi.waitFor(() => expect(pipeline.metrics.values()['freshet.poller.changes']).toBe(1), WAIT)
  await vi.waitFor(() => expect(pipeline.sweeps('failed')).toBeGreaterThan(1), WAIT)
  await pipeline.write(index, { b: {} })
  await vi.waitFor(() => expect(pipeline.metrics.values()['freshet.poller.changes']).toBe(2), WAIT)
  expect(
    pipeline.warnings.filter((line) => line.includes('the sweep for deletes is tried again')),
  ).toHaveLength(1)
})
