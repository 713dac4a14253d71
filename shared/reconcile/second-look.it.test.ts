import { randomBytes } from 'node:crypto'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { readShards } from '@freshet/adapters/elasticsearch/shards.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { Change } from '@freshet/records/change.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { expect, test } from 'vitest'
import { DeadReasons } from './dead-reasons.ts'
import { Findings } from './findings.ts'
import { readLiving } from './living-shards.ts'
import { Repair } from './repair.ts'
import { type LookedAt, SecondLook } from './second-look.ts'
import { emptyTally } from './verify-report.ts'

const EPOCH = 100
const soon = () => AbortSignal.timeout(30_000)

/** An index of one shard with its living keys read, none of them met; whatever is then done comes before the second look. */
async function open(
  documents: Readonly<Record<string, object>>,
  part: Partial<Settings['elasticsearch']> = {},
) {
  const settings = { ...loadSettings({ env: process.env }).elasticsearch, ...part }
  const client = connectElasticsearch(settings)
  const index = `look${randomBytes(5).toString('hex')}`
  await client.indices.create({ index, settings: { number_of_shards: 1, number_of_replicas: 0 } })
  for (const [id, document] of Object.entries(documents)) await client.index({ index, id, document })
  const scope = scopeOf(settings)
  const { readable } = await readShards(client, index, soon())
  const { living } = await readLiving(readable, {
    client,
    scope,
    maxMemoryBytes: 1024 * 1024,
    clock: systemClock,
    signal: soon(),
    onProgress: () => {},
  })
  const [{ view, table, keyless }] = living as [(typeof living)[number]]
  const shard: LookedAt = {
    view,
    table,
    keyless,
    checkpoint: view.globalCheckpoint,
    captured: { epoch: EPOCH, seqNo: view.globalCheckpoint },
    tally: emptyTally(),
  }
  const emitted: Change[] = []
  const findings = new Findings(10)
  const repair = new Repair({ pipeline: 'test', partitions: 1, producer: { send: async () => {} } })
  const look = (maxPageBytes = 1024 * 1024) =>
    new SecondLook({
      client,
      scope,
      maxPageBytes,
      maxMessageBytes: 1024 * 1024,
      clock: systemClock,
      context: { generation: 1, isLiveEpoch: (epoch) => epoch === EPOCH },
      findings,
      isShadowed: () => false,
      deadReasons: async () => new DeadReasons(),
      repair: Object.assign(repair, {
        emit: async (changes: readonly Change[]) => void emitted.push(...changes),
      }),
    })
  return {
    client,
    index,
    shard,
    look,
    findings: () => findings.list(() => undefined),
    emitted: () => emitted.map(({ key, source }) => `${key.toString().replace(index, 'i')} ${source}`).sort(),
    async [Symbol.asyncDispose]() {
      await client.indices.delete({ index })
      await client.close()
    },
  }
}

test('what was written again, deleted or left the filter during the run is not reported, nor emitted', async () => {
  const documents = Object.fromEntries(['a', 'b', 'c', 'd'].map((id) => [id, { id, live: true }]))
  await using world = await open(documents, { filter: { term: { live: true } } })
  const { client, index, shard, look } = world
  await client.index({ index, id: 'a', document: { id: 'a again', live: true } })
  await client.delete({ index, id: 'b' })
  await client.index({ index, id: 'c', document: { id: 'c', live: false } })
  await look().atUnmet(shard, soon())
  expect(shard.tally).toEqual({ ...emptyTally(), missing: 1 })
  expect(world.emitted()).toEqual(['i/d {"id":"d","live":true}'])
})

test('documents that are too large to come together come one after the other, byte for byte', async () => {
  const long = (id: string) => ({ id, text: 'x'.repeat(40_000) })
  await using world = await open({ a: long('a'), b: long('b'), c: long('c') })
  await world.look(65_536).atUnmet(world.shard, soon())
  expect(world.emitted()).toEqual(['a', 'b', 'c'].map((id) => `i/${id} ${JSON.stringify(long(id))}`))
})

test('a suspect is judged by the revision that it has on the primary', async () => {
  await using world = await open({ a: { n: 1 }, b: { n: 2 } })
  const { shard, index } = world
  const row = (seqNo: number, epoch: number) => ({
    revision: { documentVersion: 0, epoch, primaryTerm: 1, seqNo },
    modelGeneration: 1,
    state: 'scored' as const,
  })
  const suspects = [
    { shard, seqNo: 0, key: Buffer.from(`${index}/a`), row: row(0, EPOCH) },
    { shard, seqNo: 1, key: Buffer.from(`${index}/b`), row: row(1, EPOCH - 1) },
  ]
  await world.look().atSuspects(suspects, soon())
  expect(shard.tally).toEqual({ ...emptyTally(), scored: 1, stale: 1 })
  expect(world.emitted()).toEqual(['i/b {"n":2}'])
})

test('documents without a usable key are counted and named by index and id, with what stands in the field', async () => {
  await using world = await open({ a: { k: 'x' }, b: { n: 1 }, c: { k: ['y'] } }, { key: 'field:k' })
  const { shard, index, client } = world
  await client.index({ index, id: 'late', document: {} })
  await world.look().atUnmet(shard, soon())
  await world.look().atKeyless(shard, soon())
  expect(shard.tally).toEqual({ ...emptyTally(), missing: 1, withoutKey: 2 })
  expect(world.emitted()).toEqual(['x {"k":"x"}'])
  const named = world.findings().filter(({ kind }) => kind === 'withoutKey')
  expect(named.map(({ key, reason }) => `${key} ${reason}`).sort()).toEqual([
    `${index}/b KEY_MISSING: no k in the document`,
    `${index}/c KEY_MISSING: k is a list, not text of at most 768 bytes or a whole number`,
  ])
})
