import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { connectKafka, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { readFlights } from '@freshet/demo/flights.ts'
import { edited } from '@freshet/model/bundle/bundles.kit.ts'
import { POINTER_OBJECT } from '@freshet/model/bundle/model-pointer.ts'
import { promoteAgain, promoteModel, pushModel } from '@freshet/model/bundle/model-store.ts'
import { readCursors } from '@freshet/reconcile/read-cursors.ts'
import { totalOf, type VerifyReport } from '@freshet/reconcile/verify-report.ts'
import { CHANGE_HEADER, type Change, decodeChange, encodeChangeHeader } from '@freshet/records/change.ts'
import { type Heartbeat, heartbeatRecord, isHeartbeatKey } from '@freshet/records/heartbeat.ts'
import { topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { freshet } from './freshet.ts'
import { PROGRAM, Stack } from './stack.ts'
import { until } from './until.ts'

const flights = await readFlights()

const some = (count: number, from = 0) =>
  Object.fromEntries(flights.slice(from, from + count).map(({ id, document }) => [id, document]))

/** @returns its exit code beside what it reports */
async function verify(stack: Stack, ...args: string[]) {
  const { code, stdout, stderr } = await freshet(['--json', 'verify', ...args], stack.env)
  if (stdout === '') throw new Error(`verify ended with ${code}: ${stderr}`)
  const report = JSON.parse(stdout) as VerifyReport
  return { code, report, total: totalOf(report) }
}

const connectionOf = (stack: Stack) => connectKafka(stack.settings.kafka, { clientId: 'test', log: quietLog })

/** Resolves when the poller has emitted all that was written before. */
async function captured(stack: Stack, operations: number): Promise<void> {
  await until('everything is captured', async () => {
    const cursors = await readCursors(
      connectionOf(stack),
      stack.settings.pipeline,
      AbortSignal.timeout(30_000),
    )
    return [...cursors.values()].reduce((sum, { seqNo }) => sum + seqNo + 1, 0) >= operations
  })
}

test('of a pipeline that is well, verify proves it and ends with 0; what was set aside is told with its reason', async () => {
  await using stack = await Stack.open()
  stack.start('poller', 'scorer')
  await stack.write({ ...some(50), poison: { carrier: 'UA', note: 'no distance, no schedule' } })
  await stack.conserved()
  const { code, report, total } = await verify(stack)
  expect(total).toMatchObject({ live: 51, scored: 50, setAside: 1, missing: 0, stale: 0, extra: 0 })
  expect(report).toMatchObject({ isSettled: true, unreadable: [], repair: null })
  expect(report.findings).toMatchObject([
    { kind: 'setAside', key: `${stack.index}/poison`, reason: expect.stringMatching(/^FIELD_MISSING: /) },
  ])
  expect(code).toBe(0)

  await stack.stop('scorer')
  const newer = edited(stack.bundle, 'spec.version', '2')
  await pushModel(stack.store, newer)
  await promoteModel(stack.store, newer.spec, Date.now())
  const told = await freshet(['verify'], stack.env)
  expect(told.stdout).toContain(
    'complete: 51 live, 0 scored at their current revision by arrival-delay@2, 50 by an older model, 1 set aside',
  )
  expect(told.code).toBe(0)
}, 150_000)

test('scores above a pointer that was put back fail the proof, and the command that it names outranks them', async () => {
  await using stack = await Stack.open()
  const { body } = await stack.store.get(POINTER_OBJECT)
  const { generation } = await promoteAgain(stack.store, undefined, Date.now(), { above: 7 })
  expect(generation).toBe(8)
  stack.start('poller', 'scorer')
  await stack.write(some(10))
  await stack.conserved()
  await stack.store.put(POINTER_OBJECT, body)
  const { code, report, total } = await verify(stack)
  expect(total).toMatchObject({ live: 10, scored: 0, newerModel: 10 })
  expect(report).toMatchObject({ model: { generation: 1 }, newestGeneration: 8 })
  expect(code).toBe(1)

  const words = /`freshet (model promote --again --above 8)`/.exec(
    (await freshet(['verify'], stack.env)).stdout,
  )
  const promoted = await freshet(['--json', ...words![1]!.split(' ')], stack.env)
  expect(JSON.parse(promoted.stdout)).toMatchObject({ generation: 9 })
  await until('all is scored anew', async () => {
    const now = await verify(stack)
    return now.code === 0 && now.total.scored === 10
  })
}, 150_000)

test('what the poller has not come to is pending, not missing, and the proof fails', async () => {
  await using stack = await Stack.open()
  stack.start('poller', 'scorer')
  await stack.write(some(10))
  await stack.conserved()
  await stack.stop('poller')
  await stack.write(some(3, 10))
  const { code, total } = await verify(stack, '--wait', '1')
  expect(total).toMatchObject({ live: 13, scored: 10, pending: 3, missing: 0 })
  expect(code).toBe(1)
}, 150_000)

test('what was emitted and never scored is missing by name, and nobody is told to emit what is on its way', async () => {
  await using stack = await Stack.open()
  stack.start('poller')
  await stack.write(some(10))
  await captured(stack, 10)
  const { code, report, total } = await verify(stack, '--wait', '1', '--repair')
  expect(total).toMatchObject({ live: 10, scored: 0, missing: 10 })
  expect(report.findings.map(({ key }) => key).sort()).toEqual(
    Object.keys(some(10))
      .map((id) => `${stack.index}/${id}`)
      .sort(),
  )
  expect(report).toMatchObject({ isSettled: false, repair: { emitted: 0, tombstones: 0 } })
  expect(code).toBe(1)
}, 150_000)

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
}, 200_000)

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
}, 200_000)

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
}, 250_000)

test('a delete that the next sweep will find is waited for, not reported', async () => {
  await using stack = await Stack.open({ FRESHET_SWEEP_PAUSE_SECONDS: '1' })
  stack.start('poller', 'scorer')
  await stack.write(some(10))
  await stack.conserved()
  for (const id of Object.keys(some(2))) await stack.client.delete({ index: stack.index, id })
  const { code, report, total } = await verify(stack, '--wait', '60')
  expect(total, JSON.stringify({ report, output: stack.output })).toMatchObject({
    live: 8,
    scored: 8,
    extra: 0,
  })
  expect(code).toBe(0)
}, 200_000)

test('where no index is left, those that were are told as gone, as where others are left', async () => {
  await using stack = await Stack.open()
  stack.start('poller', 'scorer')
  await stack.write(some(3))
  await stack.conserved()
  await stack.stop('poller')
  await stack.client.indices.delete({ index: stack.index })
  const { report, total } = await verify(stack, '--wait', '1')
  expect(report).toMatchObject({ gone: [stack.index], shards: [], unreadable: [] })
  expect(total).toMatchObject({ live: 0, missing: 0 })
}, 150_000)

test.each([
  ['INDEX_MISSING', { FRESHET_ELASTICSEARCH_INDEX: 'no-such-index' }],
  ['ELASTICSEARCH_UNREACHABLE', { FRESHET_ELASTICSEARCH_URL: 'http://127.0.0.1:1' }],
])('what cannot be looked at is an error (%s) with exit code 2, never a proof', async (code, env) => {
  await using stack = await Stack.open()
  const outcome = await freshet(['verify'], { ...stack.env, ...env })
  expect(outcome).toMatchObject({ code: 2, stdout: '' })
  expect(outcome.stderr).toContain(code)
})

/** Takes every connection and answers nothing. */
async function silentServer() {
  const connected = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    connected.resolve()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connected: connected.promise,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

test('a server that takes connections and never answers ends a short wait, by its address and setting', async () => {
  using server = await silentServer()
  const env = { FRESHET_S3_ENDPOINT: `http://${server.address}` }
  const { code, stderr } = await freshet(['verify', '--wait', '1'], env)
  expect(stderr).toMatch(new RegExp(`^DEADLINE: .*http://${server.address} \\(s3\\.endpoint\\)`))
  expect(code).toBe(2)
}, 60_000)

test('stopped by Ctrl-C while it waits for an answer, it says so and ends with 130', async () => {
  using server = await silentServer()
  const child = spawn(process.execPath, [PROGRAM, 'verify'], {
    env: { ...process.env, FRESHET_HOME: '/nonexistent', FRESHET_S3_ENDPOINT: `http://${server.address}` },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (text) => (stderr += text))
  const ended = once(child, 'close')
  await server.connected
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
  expect(stderr).toBe('stopped\n')
}, 60_000)

test('a watch tells its result in its heartbeats and a line of JSON a round, and ends in order when it is asked to', async () => {
  await using stack = await Stack.open()
  stack.start('poller', 'scorer')
  await stack.write(some(5))
  await stack.conserved()
  const child = spawn(process.execPath, [PROGRAM, '--json', 'verify', '--watch', '--interval', '0.5'], {
    env: stack.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let stdout = ''
  child.stdout.on('data', (text) => (stdout += text))
  const ended = once(child, 'close')
  try {
    await until('it has proved all five more than once', async () => {
      const { metrics } = (await lastHeartbeat(stack))!
      return metrics['freshet.verify.scored'] === 5 && metrics['freshet.verify.ended']! >= 2
    })
  } finally {
    child.kill('SIGTERM')
  }
  expect(await ended).toEqual([0, null])
  const reports = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as VerifyReport)
  expect(reports.length).toBeGreaterThanOrEqual(2)
  expect(totalOf(reports.at(-1)!)).toMatchObject({ live: 5, scored: 5 })
  expect(await lastHeartbeat(stack)).toMatchObject({
    status: 'stopping',
    model: 'arrival-delay@1',
    metrics: { 'freshet.verify.live': 5, 'freshet.verify.missing': 0, 'freshet.verify.extra': 0 },
  })
}, 150_000)

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

async function lastHeartbeat(stack: Stack): Promise<Heartbeat | undefined> {
  let last: Heartbeat | undefined
  await readAll(connectionOf(stack), topicName(stack.settings.pipeline, 'heartbeats'), {
    deadlineMs: 30_000,
    signal: AbortSignal.timeout(30_000),
    onMessage: (_, { key, value }) => {
      if (!isHeartbeatKey(key!.toString())) return
      const heartbeat = heartbeatRecord.decode(value!)
      if (heartbeat.service === 'verify') last = heartbeat
    },
  })
  return last
}
