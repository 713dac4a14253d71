import { Buffer } from 'node:buffer'
import { withAdmin } from '@freshet/adapters/kafka/connect.ts'
import kafkajs from '@freshet/adapters/kafka/kafkajs/kafkajs.ts'
import { readMaxMessageBytes } from '@freshet/adapters/kafka/message-bound.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { MAX_MESSAGE_BYTES } from '@freshet/records/topics.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { OneShard } from './one-shard.kit.ts'

async function oneShard(elasticsearch: Partial<Settings['elasticsearch']>, settings: object = {}) {
  const shard = await OneShard.open(elasticsearch, { settings, mappings: { enabled: false } })
  onTestFinished(() => shard[Symbol.asyncDispose]())
  return shard
}

const text = (bytes: number) => JSON.stringify({ text: 'x'.repeat(bytes - 11) })

describe('documents too large for a page', () => {
  test('are read with fewer rows, light ones among them, and all arrive byte for byte', async () => {
    const shard = await oneShard({ key: 'id', pageRows: 50, maxPageBytes: 65_536 })
    const sources = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`${n}`, text(n % 10 === 3 ? 100_000 : 100)]),
    )
    for (const [id, source] of Object.entries(sources)) await shard.put(id, source)
    await shard.scan()
    expect(await shard.sources()).toEqual(sources)
    expect(shard.metrics.values()['freshet.poller.pages_given_up']).toBeGreaterThan(0)
  })

  test('of 10 MB arrive byte for byte', async () => {
    const shard = await oneShard({ key: 'id' })
    for (const id of ['a', 'b', 'c']) await shard.put(id, text(10_000_000))
    const { cursor } = await shard.scan()
    expect(cursor.seqNo).toBe(2)
    const kept = await shard.kept()
    expect([...kept.keys()].sort()).toEqual(['a', 'b', 'c'])
    for (const { source } of kept.values()) expect(source!.equals(Buffer.from(text(10_000_000)))).toBe(true)
  })
})

test('an index whose max_result_window is small is read in pages that it allows', async () => {
  const shard = await oneShard({ key: 'id' }, { max_result_window: 3 })
  for (let n = 0; n < 10; n++) await shard.put(`${n}`, {})
  await shard.scan()
  expect(Object.keys(await shard.sources())).toHaveLength(10)
})

describe('a document too large for Kafka', () => {
  test('is set aside with key and reason, without its bytes, and the shard goes on; the largest that fits arrives', async () => {
    const shard = await oneShard({ key: 'id' })
    await limitMessages(shard, 200_000)
    const limit = () => readMaxMessageBytes(shard.connection, shard.index, AbortSignal.timeout(30_000))
    await expect.poll(limit, { timeout: 45_000 }).toBe(200_000) // a broker takes a moment to know
    await shard.put('fits', text(200_000 - 8_192))
    await shard.put('huge', text(200_000 - 8_191))
    await shard.put('small', text(100))
    const { cursor } = await shard.scan()
    expect(cursor.seqNo).toBe(2)
    expect(Object.keys(await shard.sources()).sort()).toEqual(['fits', 'small'])
    expect(await shard.dead()).toMatchObject([
      {
        key: 'huge',
        value: null,
        letter: { code: 'DOCUMENT_TOO_LARGE', document: { index: shard.index, id: 'huge' } },
      },
    ])
  })

  test('is above 20 MiB with our own topics: one of just below that arrives', async () => {
    const shard = await oneShard({ key: 'id' })
    expect(await readMaxMessageBytes(shard.connection, shard.index, AbortSignal.timeout(30_000))).toBe(
      MAX_MESSAGE_BYTES,
    )
    const hit = { index: shard.index, id: 'fits', seqNo: 0, primaryTerm: 1, isInScope: true }
    const source = Buffer.alloc(MAX_MESSAGE_BYTES - 8_192, 'x')
    const huge = { ...hit, id: 'huge', source: Buffer.concat([source, source]) }
    const writer = await shard.writer()
    const signal = AbortSignal.timeout(45_000)
    await writer.write([{ ...hit, source }, huge], { epoch: 1, capturedAtMs: 1, trace: null }, signal)
    expect((await shard.kept()).get('fits')!.source).toHaveLength(source.length)
    expect(await shard.dead()).toMatchObject([{ key: 'huge', value: null }])
  })
})

async function limitMessages(shard: OneShard, bytes: number): Promise<void> {
  const signal = AbortSignal.timeout(30_000)
  await withAdmin(shard.connection, { doing: 'limiting', signal }, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: shard.topic('changes'),
          configEntries: [{ name: 'max.message.bytes', value: `${bytes}` }],
        },
      ],
    }),
  )
}
