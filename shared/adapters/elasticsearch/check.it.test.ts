import { randomBytes } from 'node:crypto'
import { errors } from '@elastic/elasticsearch'
import { loadSettings } from '@freshet/config/load.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { checkCapturable } from './check.ts'
import { connectElasticsearch } from './connect.ts'
import { judgeIndices } from './judge-indices.ts'

const soon = () => AbortSignal.timeout(30_000)

/** Indices of one test, under a name that a pattern can take together; deleted after it. */
function scratchIndices() {
  const name = `t${randomBytes(5).toString('hex')}`
  const client = connectElasticsearch(loadSettings({ env: process.env }).elasticsearch)
  const created: string[] = []
  onTestFinished(async () => {
    if (created.length > 0) await client.indices.delete({ index: created })
    await client.close()
  })
  return {
    client,
    pattern: `${name}-*`,
    /** Skips the test where this version does not know the settings. */
    async create(
      kind: string,
      body: { readonly settings?: object; readonly mappings?: object },
      skip?: (note: string) => never,
    ): Promise<string> {
      const index = `${name}-${kind}`
      const settings = { number_of_shards: 1, number_of_replicas: 0, ...body.settings }
      try {
        await client.transport.request({ method: 'PUT', path: `/${index}`, body: { ...body, settings } })
      } catch (error) {
        if (skip === undefined || !(error instanceof errors.ResponseError) || error.statusCode !== 400)
          throw error
        skip(`this Elasticsearch has no such index: ${error.message}`)
      }
      created.push(index)
      return index
    },
  }
}

const seqNo = (index: string) => ({ index, mode: 'seqNo', timestampField: undefined }) as const
const timestamp = (index: string) => ({ index, mode: 'timestamp', timestampField: '@timestamp' }) as const

const TIME_SERIES = {
  settings: {
    'index.mode': 'time_series',
    'index.routing_path': ['station'],
    'index.time_series.start_time': '2020-01-01T00:00:00Z',
    'index.time_series.end_time': '2030-01-01T00:00:00Z',
  },
  mappings: {
    properties: {
      '@timestamp': { type: 'date' },
      station: { type: 'keyword', time_series_dimension: true },
    },
  },
}

describe('before capture starts', () => {
  test('an index with disabled sequence numbers is refused, and may be captured by timestamp', async (context) => {
    const { client, create } = scratchIndices()
    const settings = { 'index.disable_sequence_numbers': true }
    const index = await create('no-seq-no', { settings }, context.skip)
    await expect(checkCapturable(client, seqNo(index), soon())).rejects.toMatchObject({
      code: 'INDEX_NOT_CAPTURABLE',
      message: expect.stringMatching(/disable_sequence_numbers: reindex .* elasticsearch.mode to timestamp/),
    })
    expect(await checkCapturable(client, timestamp(index), soon())).toMatchObject([{ verdict: 'capturable' }])
  })

  test('a time_series index is refused, and may be captured by timestamp', async (context) => {
    const { client, create } = scratchIndices()
    const index = await create('time-series', TIME_SERIES, context.skip)
    await expect(checkCapturable(client, seqNo(index), soon())).rejects.toMatchObject({
      code: 'INDEX_NOT_CAPTURABLE',
      message: expect.stringMatching(/time_series/),
    })
    expect(await checkCapturable(client, timestamp(index), soon())).toMatchObject([
      { verdict: 'capturable', notes: [expect.stringMatching(/synthetic _source/)] },
    ])
  })

  test('an index without _source is refused in every mode', async () => {
    const { client, create } = scratchIndices()
    const index = await create('no-source', { mappings: { _source: { enabled: false } } })
    for (const choice of [seqNo(index), timestamp(index)])
      await expect(checkCapturable(client, choice, soon())).rejects.toMatchObject({
        code: 'INDEX_NOT_CAPTURABLE',
      })
  })

  test('a logsdb index is taken, with a note that its bytes are built anew', async (context) => {
    const { client, create } = scratchIndices()
    const index = await create('logsdb', { settings: { 'index.mode': 'logsdb' } }, context.skip)
    expect(await checkCapturable(client, seqNo(index), soon())).toMatchObject([
      { description: { kind: 'logsdb' }, notes: [expect.stringMatching(/synthetic _source/)] },
    ])
  })

  test('a timestamp field that is no date is refused, one that no document has yet is not', async () => {
    const { client, create } = scratchIndices()
    const index = await create('long', { mappings: { properties: { '@timestamp': { type: 'long' } } } })
    await expect(checkCapturable(client, timestamp(index), soon())).rejects.toMatchObject({
      code: 'INDEX_NOT_CAPTURABLE',
    })
    const empty = await create('empty', {})
    expect(await checkCapturable(client, timestamp(empty), soon())).toMatchObject([
      { verdict: 'capturable', notes: [expect.stringMatching(/no document has @timestamp yet/)] },
    ])
  })

  test('a name without an index is told apart from an index that cannot be captured', async () => {
    const { client, pattern } = scratchIndices()
    for (const name of [pattern, pattern.replace('*', 'none')])
      await expect(checkCapturable(client, seqNo(name), soon())).rejects.toMatchObject({
        code: 'INDEX_MISSING',
      })
  })
})

test('of a pattern, closed and blocked indices and those that cannot be captured are named, the others go on', async () => {
  const { client, pattern, create } = scratchIndices()
  await create('good', {})
  const source = await create('no-source', { mappings: { _source: { enabled: false } } })
  const closed = await create('closed', {})
  await client.indices.close({ index: closed })
  const unread = await create('unread', {})
  await client.indices.putSettings({ index: unread, settings: { 'index.blocks.read': true } })
  const hidden = await create('hidden', {})
  await client.indices.putSettings({ index: hidden, settings: { 'index.blocks.metadata': true } })
  onTestFinished(async () => {
    await client.indices.putSettings({ index: hidden, settings: { 'index.blocks.metadata': false } })
  })

  const judged = await checkCapturable(client, seqNo(pattern), soon())
  const verdicts = Object.fromEntries(
    judged.map(({ name, verdict }) => [name.split('-').slice(1).join('-'), verdict]),
  )
  expect(verdicts).toEqual({
    good: 'capturable',
    'no-source': 'refused',
    closed: 'closed',
    unread: 'blocked',
    hidden: 'blocked',
  })
  expect(judged.find(({ name }) => name === source)?.reason).toContain(source)
})

test('an index that comes to a pattern later is judged as those before', async () => {
  const { client, pattern, create } = scratchIndices()
  await create('first', {})
  expect(await judgeIndices(client, seqNo(pattern), soon())).toHaveLength(1)
  await create('second', { mappings: { _source: { enabled: false } } })
  expect(await judgeIndices(client, seqNo(pattern), soon())).toMatchObject([
    { verdict: 'capturable' },
    { verdict: 'refused' },
  ])
})
