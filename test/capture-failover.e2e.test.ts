/**
 * Capture under fire, on real servers: three Elasticsearch nodes, writers at full speed, kill -9 of the primary's node
 * every few seconds, of the poller at random points and of Kafka once. At the end the conservation oracle judges, and
 * every live document is compared with what was emitted.
 *
 * The seed decides who is struck and how long the pauses are: `FAILOVER_SEED=… FAILOVER_SECONDS=600 npx vitest run
 * --project integration test/capture-failover.e2e.test.ts` replays the decisions of a run (not its timing), or makes it
 * longer.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { readFlights } from '@freshet/demo/flights.ts'
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

const SECONDS = Number(process.env['FAILOVER_SECONDS'] ?? 50)
const SEED = Number(process.env['FAILOVER_SEED'] ?? Math.floor(Math.random() * 1e6))
/** From the last blow to the last score, on a machine that has more to do. */
const SETTLE_MS = 240_000
const TEST_MS = SECONDS * 1_000 + 15 * 60_000

const cluster = sharedCluster({ nodes: 3 })

const strikes = `kill -9 of primaries, poller and Kafka under full load [seed ${SEED}, ${SECONDS} s]`
test(`${strikes}: nothing is missing, stale or extra`, { timeout: TEST_MS }, async () => {
  await using broker = await NativeServer.start(kafka)
  await using stack = await openStack(cluster(), broker)
  const indices = [stack.index, `${stack.index}-one-replica`]
  await stack.client.indices.create({
    ...{ index: indices[1]!, settings: { number_of_shards: 1, number_of_replicas: 1 } },
  })
  await cluster().green()
  stack.start('scorer')

  const flights = await readFlights()
  {
    await using writers = new Writers({
      ...{ client: stack.client, indices, flights, seed: SEED, writers: 2, keys: 2_000 },
    })
    const over = AbortSignal.timeout(SECONDS * 1_000)
    const blows = [killPrimaries(cluster(), indices, over), killPollers(stack, over), restartKafka(broker)]
    for (const blow of await Promise.allSettled(blows)) if (blow.status === 'rejected') throw blow.reason
    expect(writers.acknowledged).toBeGreaterThan(0)
  }
  stack.start('poller')

  await stack.conserved({ giveUpMs: SETTLE_MS })
  const connection = connectKafka(stack.settings.kafka, { clientId: 'test', log: quietLog })
  const { pipeline, elasticsearch } = stack.settings
  const report = await compareWithDump(connection, pipeline, stack.client, elasticsearch.index)
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

/** One node at a time, so that two of three always make a quorum. */
async function killPrimaries(
  cluster: ElasticsearchCluster,
  indices: readonly string[],
  over: AbortSignal,
): Promise<void> {
  const random = seeded(SEED + 1)
  for (;;) {
    await sleep(between(random, 500, 3_000))
    if (over.aborted) return
    const index = indices[Math.floor(random() * indices.length)]!
    const shard = index === indices[0] ? Math.floor(random() * 2) : 0
    const node = await cluster.primaryOf(index, shard)
    await node.kill()
    await sleep(between(random, 0, 1_500))
    await node.restart()
    await cluster.green()
  }
}

/** One life of the poller after the other; some end before it has done anything. */
async function killPollers(stack: Stack, over: AbortSignal): Promise<void> {
  const random = seeded(SEED + 2)
  while (!over.aborted) {
    stack.start('poller')
    await sleep(between(random, 1_000, 10_000))
    await stack.stop('poller', 'SIGKILL')
  }
}

async function restartKafka(broker: NativeServer): Promise<void> {
  const random = seeded(SEED + 3)
  await sleep(between(random, 0.2, 0.7) * SECONDS * 1_000)
  await broker.kill()
  await sleep(between(random, 0, 2_000))
  await broker.restart()
}

function between(random: () => number, low: number, high: number): number {
  return low + random() * (high - low)
}
