/** Indices that come, go, close and change shape while capture runs, on real Elasticsearch and Kafka. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Pipeline } from '../pipeline.kit.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const WAIT = { timeout: 60_000, interval: 50 }

/** Deletes are found elsewhere: here the sweep is out of the way. */
const NO_SWEEP = { FRESHET_SWEEP_PAUSE_SECONDS: '3600' }

const epochOf = (pipeline: Pipeline, key: string) => pipeline.newest.get(key)?.revision.epoch ?? 0
const sourceOf = (pipeline: Pipeline, key: string) => pipeline.newest.get(key)?.source?.toString()

async function openPipeline(settings: Readonly<Record<string, string>> = {}): Promise<Pipeline> {
  const pipeline = await Pipeline.open({ ...NO_SWEEP, ...settings })
  pipeline.startPoller()
  await pipeline.startScorer({ hasS3: false })
  return pipeline
}

describe('behind a pattern', () => {
  let pipeline: Pipeline
  beforeAll(async () => {
    pipeline = await openPipeline()
  })
  afterAll(() => pipeline[Symbol.asyncDispose]())

  const nameOf = (name: string) => `${pipeline.prefix}${name}`
  const arrives = (key: string, source: string) =>
    vi.waitFor(() => expect(sourceOf(pipeline, key)).toBe(source), WAIT)
  const warned = (pattern: RegExp) =>
    vi.waitFor(() => expect(pipeline.warnings).toContainEqual(expect.stringMatching(pattern)), WAIT)
  const metric = (name: string) => pipeline.metrics.values()[name]

  test('a new index is captured while running', async () => {
    for (const index of [nameOf('first'), nameOf('second')]) {
      await pipeline.createIndex(index)
      await pipeline.write(index, { a: { n: 1 } })
      await arrives(`${index}/a`, '{"n":1}')
    }
  })

  test('an index deleted and re-created under the same name outranks what was before', async () => {
    const index = nameOf('again')
    await pipeline.createIndex(index)
    await pipeline.write(index, { a: { n: 1 }, b: { n: 1 } })
    await pipeline.write(index, { a: { n: 2 } }) // a higher sequence number than it will have in the new one
    await arrives(`${index}/a`, '{"n":2}')
    const before = epochOf(pipeline, `${index}/a`)
    await pipeline.client.indices.delete({ index })
    await pipeline.createIndex(index)
    await pipeline.write(index, { a: { n: 3 } })
    await arrives(`${index}/a`, '{"n":3}')
    expect(epochOf(pipeline, `${index}/a`)).toBeGreaterThan(before)
  })

  test('a closed index is paused, says so, and goes on when it opens', async () => {
    const index = nameOf('closed')
    await pipeline.createIndex(index)
    await pipeline.write(index, { a: { n: 1 } })
    await arrives(`${index}/a`, '{"n":1}')
    const before = epochOf(pipeline, `${index}/a`)
    await pipeline.client.indices.close({ index })
    await warned(new RegExp(`${index} is closed`))
    expect(metric('freshet.poller.closed')).toBe(1)
    await vi.waitFor(() => expect(pipeline.status().status).toBe('running'), WAIT)
    await pipeline.client.indices.open({ index })
    await pipeline.write(index, { b: { n: 2 } })
    await arrives(`${index}/b`, '{"n":2}')
    await vi.waitFor(() => expect(metric('freshet.poller.closed')).toBe(0), WAIT)
    expect(sourceOf(pipeline, `${index}/a`)).toBe('{"n":1}')
    expect(epochOf(pipeline, `${index}/b`)).toBe(before)
  })

  test('one that cannot be captured is reported, and the others go on', async () => {
    const [bad, good] = [nameOf('bad'), nameOf('good')]
    await pipeline.createIndex(bad, { mappings: { _source: { enabled: false } } })
    await pipeline.write(bad, { a: { n: 1 } })
    await warned(new RegExp(`not captured: .*${bad}`))
    await pipeline.createIndex(good)
    await pipeline.write(good, { a: { n: 1 } })
    await arrives(`${good}/a`, '{"n":1}')
    await vi.waitFor(() => {
      expect(pipeline.status().status).toBe('failing')
      expect(pipeline.status().lastError).toMatch('INDEX_NOT_CAPTURABLE')
      expect(metric('freshet.poller.refused')).toBe(1)
    }, WAIT)
    expect(pipeline.newest.has(`${bad}/a`)).toBe(false)
    await pipeline.client.indices.delete({ index: bad })
    await vi.waitFor(() => expect(pipeline.status().status).toBe('running'), WAIT)
  })

  test('one that is blocked for reading is reported and waits, and the others go on', async () => {
    const [blocked, free] = [nameOf('blocked'), nameOf('free')]
    for (const index of [blocked, free]) await pipeline.createIndex(index)
    const block = (isBlocked: boolean) =>
      pipeline.client.indices.putSettings({ index: blocked, settings: { 'index.blocks.read': isBlocked } })
    await block(true)
    await pipeline.write(blocked, { a: { n: 1 } })
    await vi.waitFor(() => expect(pipeline.status().lastError).toMatch('INDEX_BLOCKED'), WAIT)
    await pipeline.write(free, { a: { n: 1 } })
    await arrives(`${free}/a`, '{"n":1}')
    await block(false)
    await arrives(`${blocked}/a`, '{"n":1}')
    await vi.waitFor(() => expect(pipeline.status().status).toBe('running'), WAIT)
  })
})

describe('where the id alone is the key', () => {
  let pipeline: Pipeline
  beforeAll(async () => {
    pipeline = await openPipeline({ FRESHET_ELASTICSEARCH_KEY: 'id' })
  })
  afterAll(() => pipeline[Symbol.asyncDispose]())

  test.each([
    { what: 'shrunk', shards: 4, into: 1, resize: 'shrink' },
    { what: 'split', shards: 1, into: 4, resize: 'split' },
  ] as const)('a $what index is captured again under a new epoch', async ({ what, shards, into, resize }) => {
    const [source, target] = [`${pipeline.prefix}${what}-before`, `${pipeline.prefix}${what}-after`]
    await pipeline.createIndex(source, { settings: { number_of_shards: shards } })
    const ids = Array.from({ length: 40 }, (_, n) => `${what}${n}`)
    await pipeline.write(source, Object.fromEntries(ids.map((id) => [id, { n: 1 }])))
    await vi.waitFor(() => {
      for (const id of ids) expect(sourceOf(pipeline, id)).toBe('{"n":1}')
    }, WAIT)
    const before = Math.max(...ids.map((id) => epochOf(pipeline, id)))
    await pipeline.client.indices.addBlock({ index: source, block: 'write' })
    pipeline.deleteInTheEnd(target)
    await pipeline.client.indices[resize]({
      index: source,
      target,
      settings: { 'index.number_of_shards': into, 'index.number_of_replicas': 0, 'index.blocks.write': null },
    })
    await vi.waitFor(() => {
      for (const id of ids) expect(epochOf(pipeline, id)).toBeGreaterThan(before)
    }, WAIT)
    await pipeline.write(target, { [ids[0]!]: { n: 2 } })
    await vi.waitFor(() => expect(sourceOf(pipeline, ids[0]!)).toBe('{"n":2}'), WAIT)
  })
})

test('reindex behind an alias: the new index takes over, whatever its sequence numbers', async () => {
  const alias = `t${randomUUID()}`
  await using pipeline = await openPipeline({
    FRESHET_ELASTICSEARCH_KEY: 'id',
    FRESHET_ELASTICSEARCH_INDEX: alias,
  })
  const [before, after] = [`${pipeline.prefix}1`, `${pipeline.prefix}2`]
  await pipeline.createIndex(before, { aliases: { [alias]: {} } })
  for (const n of [1, 2, 3]) await pipeline.write(before, { a: { n }, b: { n } })
  await vi.waitFor(() => expect(sourceOf(pipeline, 'b')).toBe('{"n":3}'), WAIT)
  const epoch = epochOf(pipeline, 'a')
  await pipeline.createIndex(after)
  await pipeline.write(after, { a: { n: 3, isNew: true }, b: { n: 3, isNew: true } })
  await pipeline.client.indices.updateAliases({
    actions: [{ remove: { index: before, alias } }, { add: { index: after, alias } }],
  })
  await vi.waitFor(() => {
    for (const id of ['a', 'b']) {
      expect(sourceOf(pipeline, id)).toBe('{"n":3,"isNew":true}')
      expect(epochOf(pipeline, id)).toBeGreaterThan(epoch)
    }
  }, WAIT)
  await pipeline.write(alias, { a: { n: 4 } })
  await vi.waitFor(() => expect(sourceOf(pipeline, 'a')).toBe('{"n":4}'), WAIT)
})

test('the same key in two indices: the version field decides, not which index was met last', async () => {
  await using pipeline = await openPipeline({
    FRESHET_ELASTICSEARCH_KEY: 'id',
    FRESHET_ELASTICSEARCH_VERSION_FIELD: 'version',
  })
  const [first, second] = [`${pipeline.prefix}1`, `${pipeline.prefix}2`]
  await pipeline.createIndex(first)
  await pipeline.write(first, { a: { version: 7, from: 'first' } })
  await vi.waitFor(() => expect(pipeline.newest.has('a')).toBe(true), WAIT)
  await pipeline.createIndex(second)
  await pipeline.write(second, { a: { version: 5, from: 'second' }, mark: { version: 1 } })
  await vi.waitFor(() => expect(pipeline.newest.has('mark')).toBe(true), WAIT)
  expect(sourceOf(pipeline, 'a')).toBe('{"version":7,"from":"first"}')
  await pipeline.write(second, { a: { version: 8, from: 'second' } })
  await vi.waitFor(() => expect(sourceOf(pipeline, 'a')).toBe('{"version":8,"from":"second"}'), WAIT)
})

test('what no index matches is waited for', async () => {
  await using pipeline = await openPipeline()
  await vi.waitFor(
    () => expect(pipeline.warnings).toContainEqual(expect.stringMatching('no index is there')),
    WAIT,
  )
  const index = `${pipeline.prefix}late`
  await pipeline.createIndex(index)
  await pipeline.write(index, { a: { n: 1 } })
  await vi.waitFor(() => expect(sourceOf(pipeline, `${index}/a`)).toBe('{"n":1}'), WAIT)
})
