import { setTimeout as sleep } from 'node:timers/promises'
import { connectKafka, type KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import type { Flight } from '@freshet/demo/flights.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { groupMembers, type ProcessIdentity } from '@freshet/up/process-identity.ts'
import { type ServiceName, Stack } from '../stack.ts'
import { cpuMicrosOf, memoryMiBOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { flightDocuments } from './flight-documents.ts'
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
 */
export const memory: Figure = {
  name: 'memory',
  unit: 'MiB',
  title: `the most that the four services hold while ${DOCUMENTS} documents go from Elasticsearch to Redis and S3`,
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
    let round = 0
    const keep = opened.move()
    return {
      ours: () =>
        watchRound(stack, connection, { flights, changes: DOCUMENTS * ++round, servers: processes }),
      baselines: {},
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

interface Round {
  readonly flights: readonly Flight[]
  /** Changes that `.changes` holds when all are captured. */
  readonly changes: number
  readonly servers: readonly ProcessIdentity[]
}

async function watchRound(stack: Stack, connection: KafkaConnection, round: Round): Promise<Sample> {
  const pids = SERVICES.map((name) => stack.pidOf(name))
  const before = sum(pids.map(cpuMicrosOf))
  const signal = AbortSignal.timeout(ROUND_DEADLINE_MS)
  let isThrough = false
  let most: Look | undefined
  const watch = async () => {
    while (!isThrough) {
      const look = lookAt(pids, round.servers)
      if (most === undefined || look.servicesMiB > most.servicesMiB) most = look
      await askFor(stack, round.flights)
      await sleep(LOOK_EVERY_MS, undefined, { signal })
    }
  }
  const write = async () => {
    await writeFlights(stack, round.flights)
    await untilThrough(connection, stack.settings.pipeline, { changes: round.changes, signal })
  }
  await Promise.all([write().finally(() => (isThrough = true)), watch()])
  const { servicesMiB, ...also } = most!
  const cpuMicros = sum(pids.map(cpuMicrosOf)) - before
  return { value: servicesMiB, cpuMicrosPerRow: cpuMicros / round.flights.length, also }
}

/** Memory by who holds it. */
type Look = { readonly servicesMiB: number } & Readonly<Record<string, number>>

function lookAt(pids: readonly number[], servers: readonly ProcessIdentity[]): Look {
  const held = pids.map(memoryMiBOf)
  const servicesMiB = sum(held)
  const byService = Object.fromEntries(SERVICES.map((name, i) => [`${name}MiB`, held[i]!]))
  if (servers.length === 0) return { servicesMiB, ...byService }
  const serversMiB = sum(servers.flatMap(groupMembers).map(memoryMiBOf))
  return { servicesMiB, ...byService, stackMiB: servicesMiB + serversMiB }
}

async function askFor({ gatewayUrl, index }: Stack, flights: readonly Flight[]): Promise<void> {
  for (let i = 0; i < LOOKUPS_A_LOOK; i++) {
    const { id } = flights[Math.floor(Math.random() * flights.length)]!
    const answer = await fetch(`${gatewayUrl}/v1/scores/${index}/${id}`)
    await answer.arrayBuffer()
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
