import { Buffer } from 'node:buffer'
import { withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { readCursors } from '@freshet/reconcile/read-cursors.ts'
import { CHANGE_HEADER, type Change, decodeChange, encodeChangeHeader } from '@freshet/records/change.ts'
import { topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { freshet } from '../freshet.ts'
import { Stack } from '../stack.ts'
import { until } from '../until.ts'
import { captured, connectionOf, flights, some, verify } from './verify-run.ts'

test('repair heals what a late older record has hidden in the log: the newest revision is its last word again', async () => {
  await using stack = await Stack.open({}, { shards: 1 })
  stack.start('poller')
  const [first] = flights as [(typeof flights)[number]]
  const old = { ...first.document, note: 'before' }
  const { _seq_no: seqNo, _primary_term: primaryTerm } = await stack.client.index({
    index: stack.index,
    id: first.id,
    document: old,
  })
  await stack.write(some(20))
  await captured(stack, 21)
  await stack.stop('poller')
  const signal = AbortSignal.timeout(60_000)
  const [cursor] = (await readCursors(connectionOf(stack), stack.settings.pipeline, signal)).values()

  // Compaction keeps the last record of a key. Here it is that of a poller that slept, woke up, and wrote late.
  await forgetChanges(stack)
  const key = Buffer.from(`${stack.index}/${first.id}`)
  await writeChange(stack, {
    key,
    revision: { documentVersion: 0, epoch: cursor!.epoch, primaryTerm: primaryTerm!, seqNo: seqNo! },
    capturedAtMs: Date.now(),
    source: Buffer.from(JSON.stringify(old)),
    trace: null,
  })
  stack.start('scorer')
  const before = await verify(stack)
  expect(before.total).toMatchObject({ live: 20, scored: 0, stale: 1, missing: 19 })
  expect(before.report).toMatchObject({ isSettled: true })
  expect(before.report.findings).toContainEqual({ kind: 'stale', key: key.toString() })
  expect(before.code).toBe(1)

  const after = await verify(stack, '--repair')
  expect(after.total).toMatchObject({ live: 20, scored: 20 })
  expect(after.report.repair).toEqual({ emitted: 20, tombstones: 0 })
  expect(after.code).toBe(0)
  await stack.conserved()
  const last = await lastChange(stack, key)
  expect(last.revision.seqNo).toBeGreaterThan(seqNo!)
  expect(JSON.parse(last.source!.toString())).toEqual(first.document)
}, 320_000)

test('scores of deleted documents are extra until repair emits their deletes, which bury nothing that comes back', async () => {
  await using stack = await Stack.open()
  stack.start('poller', 'scorer')
  await stack.write(some(10))
  await stack.conserved()
  await stack.stop('poller') // so that no sweep finds them
  const deleted = Object.keys(some(2))
  for (const id of deleted) await stack.client.delete({ index: stack.index, id })
  const before = await verify(stack, '--wait', '1')
  expect(before.total).toMatchObject({ live: 8, scored: 8, extra: 2, pending: 0 })
  expect(before.report.findings.map(({ kind, key }) => `${kind} ${key}`).sort()).toEqual(
    deleted.map((id) => `extra ${stack.index}/${id}`).sort(),
  )
  expect(before.code).toBe(1)

  const after = await verify(stack, '--repair')
  expect(after.total).toMatchObject({ live: 8, scored: 8, extra: 0 })
  expect(after.report.repair).toEqual({ emitted: 0, tombstones: 2 })
  expect(after.code).toBe(0)
  await stack.conserved()

  await stack.write(some(1))
  stack.start('poller')
  expect((await stack.conserved()).liveDocuments).toBe(9)
}, 320_000)

/** Some routing for each of two shards. */
async function routings({ client, index }: Stack): Promise<ReadonlyMap<number, string>> {
  const byShard = new Map<number, string>()
  for (let at = 0; byShard.size < 2; at++) {
    const { shards } = await client.searchShards({ index, routing: `r${at}` })
    byShard.set(shards[0]![0]!.shard, `r${at}`)
  }
  return byShard
}

test('a key that routing has put into two shards is named as what it is, and repair does not claim to mend it', async () => {
  await using stack = await Stack.open({ FRESHET_SWEEP_PAUSE_SECONDS: '1' })
  stack.start('poller', 'scorer')
  const [{ id, document }] = flights as [(typeof flights)[number]]
  const byShard = await routings(stack)
  for (const routing of byShard.values())
    await stack.client.index({ index: stack.index, id, routing, document })
  await captured(stack, 2)
  const both = await verify(stack, '--repair')
  expect(both.total).toMatchObject({ live: 2, scored: 1, missing: 1, extra: 0 })
  expect(both.report).toMatchObject({
    findings: [
      {
        kind: 'missing',
        reason: expect.stringMatching(/^two living documents share this key, through routing/),
      },
    ],
    beyondRepair: 1,
    repair: { emitted: 0, tombstones: 0 },
  })
  expect(both.code).toBe(1)

  // The score is that of the shard whose capture began later; with its delete the other one is hidden.
  const signal = AbortSignal.timeout(60_000)
  const cursors = await readCursors(connectionOf(stack), stack.settings.pipeline, signal)
  const { shard } = [...cursors.values()].reduce((a, b) => (a.epoch > b.epoch ? a : b))
  await stack.client.delete({ index: stack.index, id, routing: byShard.get(shard)! })
  let one = both
  const isSwept = async () => {
    one = await verify(stack, '--wait', '30')
    return one.total.extra === 0
  }
  await until('a sweep has found the delete', isSwept, { giveUpMs: 90_000 })
  expect(one.total).toMatchObject({ live: 1, scored: 0, missing: 1 })
  expect(one.report).toMatchObject({
    findings: [{ kind: 'missing', reason: expect.stringMatching(/writing it again does not help/) }],
    beyondRepair: 1,
  })
  const told = await freshet(['verify'], stack.env)
  expect(told.stdout).toMatch(/next: emitting again does not mend 1 of these/)
  expect(told.stdout).not.toMatch(/--repair/)
}, 400_000)

/** The topic keeps its settings, and forgets what is in it. */
async function forgetChanges(stack: Stack): Promise<void> {
  const topic = topicName(stack.settings.pipeline, 'changes')
  const signal = AbortSignal.timeout(30_000)
  const { ConfigResourceTypes } = (await import('kafkajs')).default
  await withAdmin(connectionOf(stack), { doing: 'forgetting the changes', signal }, async (admin) => {
    const keep = (value: string) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: ConfigResourceTypes.TOPIC,
            name: topic,
            configEntries: [{ name: 'cleanup.policy', value }],
          },
        ],
      })
    await keep('delete')
    const ends = await admin.fetchTopicOffsets(topic)
    const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }))
    await until('the broker knows the policy', async () => {
      await admin.deleteTopicRecords({ topic, partitions })
      return true
    })
    await keep('compact')
  })
}

async function writeChange(stack: Stack, change: Change): Promise<void> {
  const { kafka, pipeline } = stack.settings
  await using producer = new Producer(connectionOf(stack), {
    clock: systemClock,
    log: quietLog,
    deadlineMs: 30_000,
  })
  const message = {
    partition: partitionOf(change.key, kafka.partitions),
    key: change.key,
    value: change.source,
    headers: { [CHANGE_HEADER]: encodeChangeHeader(change) },
  }
  await producer.send(topicName(pipeline, 'changes'), [message], AbortSignal.timeout(30_000))
}

async function lastChange(stack: Stack, wanted: Buffer): Promise<Change> {
  let last: Change | undefined
  await readAll(connectionOf(stack), topicName(stack.settings.pipeline, 'changes'), {
    deadlineMs: 30_000,
    signal: AbortSignal.timeout(30_000),
    onMessage: (_, { key, value, headers }) => {
      if (key?.equals(wanted)) last = decodeChange(key, headers[CHANGE_HEADER], value)
    },
  })
  return last!
}
