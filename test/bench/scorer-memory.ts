import { Buffer } from 'node:buffer'
import { connectKafka, type KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { type OutgoingMessage, Producer } from '@freshet/adapters/kafka/producer.ts'
import { CHANGE_HEADER, encodeChangeHeader } from '@freshet/records/change.ts'
import { consumerGroups, topicName } from '@freshet/records/topics.ts'
import { filesOf, readManifest } from '@freshet/snapshot/manifest.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Redis } from 'ioredis'
import { Stack } from '../stack.ts'
import { bareGroup, startBareScorer } from './bare-programs.ts'
import { cpuMicrosOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { flightDocuments } from './flight-documents.ts'
import { forgetKeys } from './forget-keys.ts'
import { forgetTopics } from './forget-topics.ts'
import { KEYS } from './key-count.ts'
import { peakMiBOf } from './peak-memory.ts'
import { reportingService } from './reporting-process.ts'
import { emptyStore } from './snapshot-world.ts'
import { untilThrough } from './until-through.ts'

const PARTITIONS = 8
const DOCUMENTS = 10_000
const PAGE_ROWS = 5_000
/** So that the snapshot grows and is merged many times meanwhile. */
const SNAPSHOT_SECONDS = 10
/** Enough for the baseline, which keeps nothing of a key: what it holds does not grow with them. */
const BARE_KEYS = Math.floor(KEYS / 10)
const ROUND_DEADLINE_MS = 2_400_000

/**
 * What `freshet run scorer` holds at most, all three workers in one process as a user runs it, from an empty Redis and an
 * empty snapshot until every key is in both. Wants 2 GiB of Redis and 4 GiB of disk for ten million keys.
 * Baseline: bare-scorer.ts, and a tenth of the keys.
 */
export const scorerMemory: Figure = {
  name: 'scorer-memory',
  unit: 'MiB',
  title: `the most that the whole scorer holds while it brings ${KEYS.toLocaleString('en')} keys into Redis and the snapshot; baseline: kafkajs, ONNX Runtime and SET, and a tenth of the keys`,
  targets: [{ of: 'value', atMost: 512 }],
  rounds: 1,
  open: async (): Promise<Bench> => ({
    ours: scoreAll,
    baselines: { bare: scoreBare },
    async [Symbol.asyncDispose]() {},
  }),
}

async function scoreAll(): Promise<Sample> {
  await using world = await openFilled(KEYS)
  const { stack, connection } = world
  const { pipeline } = stack.settings
  await using scorer = reportingService(stack, 'scorer')
  const signal = AbortSignal.any([AbortSignal.timeout(ROUND_DEADLINE_MS), scorer.ended])
  const beganAtMs = performance.now()
  await untilThrough(connection, consumerGroups(pipeline), { changes: KEYS, signal })
  const seconds = (performance.now() - beganAtMs) / 1_000
  const manifest = (await readManifest(stack.store, pipeline, signal))!.manifest
  const files = Object.values(manifest.partitions).flatMap(filesOf)
  return {
    value: peakMiBOf(scorer.pid),
    cpuMicrosPerRow: cpuMicrosOf(scorer.pid) / KEYS,
    also: {
      seconds,
      snapshotRows: files.reduce((sum, { rows }) => sum + rows, 0),
      endMiB: scorer.memory?.rssMiB ?? Number.NaN,
      heapMiB: scorer.memory?.heapMiB ?? Number.NaN,
    },
  }
}

async function scoreBare(): Promise<Sample> {
  await using world = await openFilled(BARE_KEYS)
  const { stack, connection } = world
  const { pipeline } = stack.settings
  const signal = AbortSignal.timeout(ROUND_DEADLINE_MS)
  const beganAtMs = performance.now()
  await using scorer = await startBareScorer(stack.settings)
  await untilThrough(connection, [bareGroup(pipeline)], { changes: BARE_KEYS, signal })
  const seconds = (performance.now() - beganAtMs) / 1_000
  return {
    value: peakMiBOf(scorer.pid),
    cpuMicrosPerRow: cpuMicrosOf(scorer.pid) / BARE_KEYS,
    also: { seconds },
  }
}

interface World extends AsyncDisposable {
  readonly stack: Stack
  readonly connection: KafkaConnection
}

/** So many changes lie ready, and nothing of them is anywhere else. */
async function openFilled(keys: number): Promise<World> {
  await using opened = new AsyncDisposableStack()
  const stack = opened.use(
    await Stack.open({
      FRESHET_KAFKA_PARTITIONS: `${PARTITIONS}`,
      FRESHET_SNAPSHOT_INTERVAL_SECONDS: `${SNAPSHOT_SECONDS}`,
    }),
  )
  const { pipeline, redis: redisSettings } = stack.settings
  const connection = connectKafka(stack.settings.kafka, { clientId: 'bench', log: quietLog })
  opened.defer(() => forgetTopics(connection, pipeline))
  opened.defer(() => emptyStore(stack.store))
  const redis = new Redis(redisSettings.url)
  opened.defer(() => redis.disconnect())
  opened.defer(() => forgetKeys(redis, pipeline))
  await fillChanges(stack, connection, keys)
  const keep = opened.move()
  return { stack, connection, [Symbol.asyncDispose]: () => keep.disposeAsync() }
}

/** The same documents over and over, each under a key of its own. */
async function fillChanges(stack: Stack, connection: KafkaConnection, keys: number): Promise<void> {
  const { pipeline, kafka } = stack.settings
  const sources = (await flightDocuments(DOCUMENTS)).map(({ document }) =>
    Buffer.from(JSON.stringify(document)),
  )
  const options = { clock: systemClock, log: quietLog, deadlineMs: 60_000 }
  await using producer = new Producer(connection, options)
  const epoch = Date.now()
  const changeOf = (number: number): OutgoingMessage => {
    const key = Buffer.from(`${stack.index}/${number}`)
    const source = sources[number % sources.length]!
    const revision = { documentVersion: 0, epoch, primaryTerm: 1, seqNo: number }
    const header = encodeChangeHeader({ key, source, revision, capturedAtMs: epoch, trace: null })
    return {
      partition: partitionOf(key, kafka.partitions),
      key,
      value: source,
      headers: { [CHANGE_HEADER]: header },
      timestampMs: epoch,
    }
  }
  for (let from = 0; from < keys; from += PAGE_ROWS) {
    const page = Array.from({ length: Math.min(PAGE_ROWS, keys - from) }, (_, i) => changeOf(from + i))
    await producer.send(topicName(pipeline, 'changes'), page, AbortSignal.timeout(60_000))
  }
}
