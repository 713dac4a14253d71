/**
 * Capture under fire, on real servers: three Elasticsearch nodes, writers at full speed, kill -9 of the primary's node
 * every few seconds, of the poller at random points and of Kafka once. At the end the conservation oracle judges, and
 * every live document is compared with what was emitted.
 *
 * The seed decides who is struck and how long the pauses are: `FAILOVER_SEED=… FAILOVER_SECONDS=600 npx vitest run
 * --project cluster test/capture-failover.cluster.test.ts` replays the decisions of a run (not its timing), or makes it
 * longer.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { connectKafka, type KafkaConnection, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { readFlights } from '@freshet/demo/flights.ts'
import { topicName } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { seeded } from '@freshet/stage/seeded.ts'
import { kafka } from '@freshet/up/kafka.ts'
import { expect, test } from 'vitest'
import { compareWithDump } from './cluster/compare-with-dump.ts'
import type { ElasticsearchCluster } from './cluster/elasticsearch-cluster.ts'
import { NativeServer } from './cluster/native-server.ts'
import { sharedCluster } from './cluster/shared-cluster.ts'
import { Writers } from './cluster/writers.ts'
import { Stack } from './stack.ts'
import { until } from './until.ts'

const SECONDS = Number(process.env['FAILOVER_SECONDS'] ?? 60)
const SEED = Number(process.env['FAILOVER_SEED'] ?? Math.floor(Math.random() * 1e6))
const LEAST_PRIMARIES = 2
/** From the last blow to the last score, on a machine that has more to do. */
const SETTLE_MS = 240_000
const TEST_MS = SECONDS * 1_000 + 15 * 60_000

const cluster = sharedCluster({ nodes: 3 })

const strikes = `kill -9 of primaries, poller and Kafka under full load [seed ${SEED}, ${SECONDS} s]`
test(`${strikes}: nothing is missing, stale or extra`, { timeout: TEST_MS }, async ({ annotate }) => {
  await using broker = await NativeServer.start(kafka)
  await using stack = await openStack(cluster(), broker)
  const indices = [stack.index, `${stack.index}-one-replica`]
  await stack.client.indices.create({
    ...{ index: indices[1]!, settings: { number_of_shards: 1, number_of_replicas: 1 } },
  })
  await cluster().green()
  const connection = connectKafka(stack.settings.kafka, { clientId: 'test', log: quietLog })
  stack.start('scorer')

  const flights = await readFlights()
  {
    await using writers = new Writers({
      ...{ client: stack.client, indices, flights, seed: SEED, writers: 2, keys: 2_000 },
    })
    const over = new AbortController()
    const blows = [
      killPrimaries(cluster(), indices).finally(() => over.abort()),
      killPollers(stack, connection, over.signal),
      restartKafka(broker),
    ]
    for (const blow of await Promise.allSettled(blows)) if (blow.status === 'rejected') throw blow.reason
    const [primaries, pollers] = await Promise.all(blows)
    const { acknowledged } = writers
    await annotate(
      `${primaries} primaries and ${pollers} pollers killed, ${acknowledged} writes acknowledged`,
    )
    expect(acknowledged).toBeGreaterThan(0)
  }
  stack.start('poller')

  await stack.conserved({ giveUpMs: SETTLE_MS })
  const { pipeline, elasticsearch } = stack.settings
  const report = await compareWithDump(connection, pipeline, stack.client, elasticsearch.index)
  await annotate(`${report.emitted} changes emitted, ${report.liveDocuments} documents live`)
  expect(report, JSON.stringify(stack.output)).toMatchObject({ missed: [], outranked: [] })
})

/** On servers of its own but Redis and S3; two indices behind one pattern. */
function openStack(cluster: ElasticsearchCluster, broker: NativeServer): Promise<Stack> {
  return Stack.open(
    {
      FRESHET_ELASTICSEARCH_URL: cluster.url,
      FRESHET_KAFKA_BROKERS: `127.0.0.1:${broker.port}`,
      FRESHET_TELEMETRY_ENABLED: 'false',
      FRESHET_SWEEP_PAUSE_SECONDS: '1',
    },
    { shards: 2, replicas: 2, pattern: (index) => `${index}*` },
  )
}

/**
 * One node at a time, so that two of three always make a quorum. Until the time is over, and where nodes start slowly
 * until enough were struck. @returns how many
 */
async function killPrimaries(cluster: ElasticsearchCluster, indices: readonly string[]): Promise<number> {
  const random = seeded(SEED + 1)
  const over = AbortSignal.timeout(SECONDS * 1_000)
  for (let kills = 0; ; kills++) {
    await sleep(between(random, 500, 3_000))
    if (over.aborted && kills >= LEAST_PRIMARIES) return kills
    const index = indices[Math.floor(random() * indices.length)]!
    const shard = index === indices[0] ? Math.floor(random() * 2) : 0
    const node = await cluster.primaryOf(index, shard)
    await node.kill()
    await sleep(between(random, 0, 1_500))
    await node.restart()
    await cluster.green()
  }
}

/** One life of the poller after the other: every other one ends in the middle of its work. @returns how many */
async function killPollers(stack: Stack, connection: KafkaConnection, over: AbortSignal): Promise<number> {
  const random = seeded(SEED + 2)
  const changes = topicName(stack.settings.pipeline, 'changes')
  for (let lives = 0; ; lives++) {
    if (over.aborted) return lives
    const emitted = await endOf(connection, changes).catch(() => 0)
    stack.start('poller')
    const isToWork = lives % 2 === 0
    if (isToWork) {
      const works = async () => over.aborted || (await endOf(connection, changes)) > emitted
      await until('it works', works, { giveUpMs: 20_000 }).catch(() => {}) // or it met a server that was down
    }
    await sleep(between(random, 0, isToWork ? 4_000 : 8_000))
    await stack.stop('poller', 'SIGKILL')
  }
}

/** Messages ever written to a topic. */
async function endOf(connection: KafkaConnection, topic: string): Promise<number> {
  const call = { doing: 'reading the ends', signal: AbortSignal.timeout(10_000) }
  const ends = await withAdmin(connection, call, (admin) => admin.fetchTopicOffsets(topic))
  return ends.reduce((sum, { high }) => sum + Number(high), 0)
}

/** @returns how many */
async function restartKafka(broker: NativeServer): Promise<number> {
  const random = seeded(SEED + 3)
  await sleep(between(random, 0.2, 0.7) * SECONDS * 1_000)
  await broker.kill()
  await sleep(between(random, 0, 2_000))
  await broker.restart()
  return 1
}

function between(random: () => number, low: number, high: number): number {
  return low + random() * (high - low)
}
