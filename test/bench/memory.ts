import { setTimeout as sleep } from 'node:timers/promises'
import { connectKafka, type KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { redisKey } from '@freshet/adapters/redis/redis-key.ts'
import type { Flight } from '@freshet/demo/flights.ts'
import { consumerGroups } from '@freshet/records/topics.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { groupMembers, type ProcessIdentity } from '@freshet/up/process-identity.ts'
import { Redis } from 'ioredis'
import { type ServiceName, Stack } from '../stack.ts'
import { startBare } from './bare-process.ts'
import { BARE_POLLER, bareGroup, barePollerArgs, startBareScorer } from './bare-programs.ts'
import { cpuMicrosOf, memoryMiBOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { flightDocuments } from './flight-documents.ts'
import { forgetKeys } from './forget-keys.ts'
import { forgetTopics } from './forget-topics.ts'
import { startBareServer } from './gateway/server-cost.ts'
import { untilThrough } from './until-through.ts'
import { writeFlights } from './write-flights.ts'

const DOCUMENTS = 20_000
const PARTITIONS = 8
const SNAPSHOT_SECONDS = 5
const LOOK_EVERY_MS = 250
const LOOKUPS_A_LOOK = 25
const ROUND_DEADLINE_MS = 180_000
const SERVICES: readonly ServiceName[] = ['poller', 'scorer', 'gateway', 'watchdog']

/**
 * The most that poller, scorer, gateway and watchdog hold together while documents go all the way and callers ask for
 * them; with the servers as `stackMiB` when they were started for the benchmark.
 * Baseline: bare-poller.ts, bare-scorer.ts and bare-server.ts, which do the same without snapshot and watchdog. They begin
 * anew in each round, so that ours share no pages of Node with them; they share some with ours, which counts for them.
 */
export const memory: Figure = {
  name: 'memory',
  unit: 'MiB',
  title: `the most that the four services hold while ${DOCUMENTS} documents go from Elasticsearch to Redis and S3; baseline: three bare processes, and Redis only`,
  targets: [
    { of: 'value', atMost: 700 },
    { of: 'stackMiB', atMost: 4_096 },
  ],
  async open({ processes }): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const stack = opened.use(
      await Stack.open({
        FRESHET_KAFKA_PARTITIONS: `${PARTITIONS}`,
        FRESHET_SNAPSHOT_INTERVAL_SECONDS: `${SNAPSHOT_SECONDS}`,
      }),
    )
    const flights = await flightDocuments(DOCUMENTS)
    const connection = connectKafka(stack.settings.kafka, { clientId: 'bench', log: quietLog })
    stack.start(...SERVICES)
    await stack.gatewayReady()
    const pids = Object.fromEntries(SERVICES.map((name) => [name, stack.pidOf(name)]))
    const shared = { stack, pids, askUrl: stack.gatewayUrl, flights, servers: processes }
    const groups = consumerGroups(stack.settings.pipeline)
    let rounds = 0
    const keep = opened.move()
    return {
      ours: () => watchRound({ ...shared, connection, groups, changes: DOCUMENTS * ++rounds }),
      baselines: { bare: () => bareRound(flights) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

async function bareRound(flights: readonly Flight[]): Promise<Sample> {
  await using opened = new AsyncDisposableStack()
  const partitions = { FRESHET_KAFKA_PARTITIONS: `${PARTITIONS}` }
  const stack = opened.use(await Stack.open(partitions, { shards: 1 }))
  const { kafka, redis: redisSettings, pipeline } = stack.settings
  const connection = connectKafka(kafka, { clientId: 'bench', log: quietLog })
  opened.defer(() => forgetTopics(connection, pipeline))
  const redis = new Redis(redisSettings.url)
  opened.defer(() => redis.disconnect())
  opened.defer(() => forgetKeys(redis, pipeline))
  const poller = opened.use(await startBare(BARE_POLLER, barePollerArgs(stack.settings)))
  const scorer = opened.use(await startBareScorer(stack.settings))
  const gateway = opened.use(await startBareServer('redis', redisSettings.url, redisKey(pipeline, '', false)))
  return await watchRound({
    ...{ stack, connection, flights },
    pids: { poller: poller.pid, scorer: scorer.pid, gateway: gateway.pid },
    askUrl: `http://127.0.0.1:${gateway.port}`,
    groups: [bareGroup(pipeline)],
    changes: flights.length,
    servers: [],
  })
}

interface Round {
  readonly stack: Stack
  readonly connection: KafkaConnection
  readonly flights: readonly Flight[]
  /** Of the processes that are watched, by name. */
  readonly pids: Readonly<Record<string, number>>
  /** Where callers ask for scores. */
  readonly askUrl: string
  readonly groups: Parameters<typeof untilThrough>[1]
  /** Changes that `.changes` holds when all are captured. */
  readonly changes: number
  readonly servers: readonly ProcessIdentity[]
}

async function watchRound(round: Round): Promise<Sample> {
  const { stack, connection, groups, changes, flights } = round
  const pids = Object.values(round.pids)
  const before = sum(pids.map(cpuMicrosOf))
  const signal = AbortSignal.timeout(ROUND_DEADLINE_MS)
  let isThrough = false
  let most: Look | undefined
  const watch = async () => {
    while (!isThrough) {
      const look = lookAt(round)
      if (most === undefined || look.heldMiB > most.heldMiB) most = look
      await askFor(round)
      await sleep(LOOK_EVERY_MS, undefined, { signal })
    }
  }
  const write = async () => {
    await writeFlights(stack, flights)
    await untilThrough(connection, groups, { changes, signal })
  }
  await Promise.all([write().finally(() => (isThrough = true)), watch()])
  const { heldMiB, ...also } = most!
  const cpuMicros = sum(pids.map(cpuMicrosOf)) - before
  return { value: heldMiB, cpuMicrosPerRow: cpuMicros / flights.length, also }
}

/** Memory by who holds it; `heldMiB` is that of all that are watched. */
type Look = { readonly heldMiB: number } & Readonly<Record<string, number>>

function lookAt({ pids, servers }: Round): Look {
  const held = Object.entries(pids).map(([name, pid]) => [`${name}MiB`, memoryMiBOf(pid)] as const)
  const heldMiB = sum(held.map(([, mib]) => mib))
  const byName = Object.fromEntries(held)
  if (servers.length === 0) return { heldMiB, ...byName }
  const serversMiB = sum(servers.flatMap(groupMembers).map(memoryMiBOf))
  return { heldMiB, ...byName, stackMiB: heldMiB + serversMiB }
}

async function askFor({ askUrl, stack: { index }, flights }: Round): Promise<void> {
  for (let i = 0; i < LOOKUPS_A_LOOK; i++) {
    const { id } = flights[Math.floor(Math.random() * flights.length)]!
    const answer = await fetch(`${askUrl}/v1/scores/${index}/${id}`)
    await answer.arrayBuffer()
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
