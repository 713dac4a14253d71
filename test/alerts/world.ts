/** A whole pipeline under an even load, on servers that a test may take away, and a Slack of its own that listens. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@elastic/elasticsearch'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { RedisServer } from '@freshet/adapters/redis/redis-server.kit.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { type Flight, readFlights } from '@freshet/demo/flights.ts'
import { type SlackReceiver, startSlackReceiver } from '@freshet/demo/slack-receiver.ts'
import { kafka } from '@freshet/up/kafka.ts'
import { s3 } from '@freshet/up/s3.ts'
import type { Server } from '@freshet/up/server.ts'
import { FrontDoor } from '../cluster/front-door.ts'
import { NativeServer } from '../cluster/native-server.ts'
import { type ProcessName, Stack } from '../stack.ts'
import { until } from '../until.ts'
import { SHORT } from './short-thresholds.ts'
import { type Told, whatWasTold } from './told.ts'

const KEYS = 300
const WRITE_EVERY_MS = 250
const WRITES = 20
const ASK_EVERY_MS = 50

/** A pipeline that starts on a machine with much to do. */
const START_MS = 180_000
/** Each worker of the scorer has a process of its own, so that one can be held back while the others go on. */
const WORKERS = { scorer: 'infer', 'scorer-2': 'cache', 'scorer-3': 'snapshot' } as const

export class AlertWorld implements AsyncDisposable {
  readonly stack: Stack
  readonly kafka: NativeServer
  /** In front of Redis, S3 and Elasticsearch, for all parts of the pipeline. */
  readonly doors: Readonly<Record<'redis' | 'redisOfGateway' | 's3' | 'elasticsearch', FrontDoor>>
  /** Goes to Elasticsearch past all doors. */
  readonly client: Client
  readonly #slack: SlackReceiver
  readonly #opened: AsyncDisposableStack
  readonly #over = new AbortController()

  /** Resolves when the pipeline is whole and watched, and no alert is open. */
  static async open(): Promise<AlertWorld> {
    await using opened = new AsyncDisposableStack()
    const direct = loadSettings({ env: process.env })
    const door = async (port: number) => opened.use(await FrontDoor.open(() => [port]))
    const [broker, store] = await Promise.all([kafka, s3].map((server) => startOwn(server, opened)))
    const redis = opened.use(await RedisServer.start())
    const doors = {
      redis: await door(redis.port),
      redisOfGateway: await door(redis.port),
      s3: await door(store!.port!),
      elasticsearch: await door(Number(new URL(direct.elasticsearch.url).port)),
    }
    const slack = opened.use(await startSlackReceiver({ port: 0 }))
    const stack = opened.use(
      await Stack.open({
        ...SHORT,
        FRESHET_KAFKA_BROKERS: `127.0.0.1:${broker!.port}`,
        FRESHET_REDIS_URL: `redis://127.0.0.1:${doors.redis.port}`,
        FRESHET_S3_ENDPOINT: doors.s3.url,
        FRESHET_ELASTICSEARCH_URL: doors.elasticsearch.url,
        FRESHET_SLACK_WEBHOOK_URL: slack.url,
      }),
    )
    for (const [name, worker] of Object.entries(WORKERS) as [ProcessName, string][])
      stack.envOf[name] = { FRESHET_SCORER_WORKERS: worker }
    stack.envOf.gateway = { FRESHET_REDIS_URL: `redis://127.0.0.1:${doors.redisOfGateway.port}` }
    const client = connectElasticsearch(direct.elasticsearch)
    opened.defer(() => client.close())
    const parts = { stack, kafka: broker!, doors, client }
    const world = new AlertWorld(parts, slack, opened.move())
    await world.#begin()
    return world
  }

  private constructor(
    parts: Pick<AlertWorld, 'stack' | 'kafka' | 'doors' | 'client'>,
    slack: SlackReceiver,
    opened: AsyncDisposableStack,
  ) {
    this.stack = parts.stack
    this.kafka = parts.kafka
    this.doors = parts.doors
    this.client = parts.client
    this.#slack = slack
    this.#opened = opened
  }

  /** All that people were told so far, oldest first. */
  get told(): readonly Told[] {
    return whatWasTold(this.#slack.messages)
  }

  /** Documents that no fault is about. */
  async write(documents: Readonly<Record<string, object>>): Promise<void> {
    const operations = Object.entries(documents).flatMap(([id, document]) => [
      { index: { _index: this.stack.index, _id: id } },
      document,
    ])
    await this.client.bulk({ operations })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    await this.#opened.disposeAsync()
  }

  /** The watchdogs come last: while a pipeline starts on a slow machine, there is much to be told under short thresholds. */
  async #begin(): Promise<void> {
    const { stack } = this
    const flights = await readFlights()
    stack.start('poller', 'scorer', 'scorer-2', 'scorer-3', 'gateway')
    await this.write(flightsOf(flights, 0, KEYS))
    await stack.conserved({ giveUpMs: START_MS })
    await stack.gatewayReady()
    this.#keepBusy(flights)
    stack.start('watchdog', 'watchdog-2')
    const explain = () => JSON.stringify({ told: this.told, output: stack.output }, null, 2)
    const speaks = ['watchdog', 'watchdog-2'] as const
    await until(
      'a watchdog speaks, and what it had to tell is over',
      async () =>
        speaks.some((name) => stack.output[name]?.includes('this watchdog speaks')) && isOver(this.told),
      { giveUpMs: START_MS, explain },
    )
  }

  /** Writes and asks until the world ends; what a fault keeps from it is no matter. */
  #keepBusy(flights: readonly Flight[]): void {
    const busy = [
      this.#repeat(WRITE_EVERY_MS, (round) => this.write(flightsOf(flights, round * WRITES, WRITES))),
      this.#repeat(ASK_EVERY_MS, async (round) => {
        const url = `${this.stack.gatewayUrl}/v1/scores/${this.stack.index}/k${round % KEYS}`
        await (await fetch(url, { signal: AbortSignal.timeout(2_000) })).arrayBuffer()
      }),
    ]
    this.#opened.defer(async () => void (await Promise.all(busy)))
  }

  async #repeat(everyMs: number, act: (round: number) => Promise<void>): Promise<void> {
    for (let round = 0; !this.#over.signal.aborted; round++) {
      await act(round).catch(() => {}) // what it asks of is broken on purpose
      await sleep(everyMs)
    }
  }
}

function flightsOf(flights: readonly Flight[], from: number, count: number): Record<string, object> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `k${(from + i) % KEYS}`,
      flights[(from + i) % flights.length]!.document,
    ]),
  )
}

/** Of all that fired people know that it does not any more. */
function isOver(told: readonly Told[]): boolean {
  const count = (change: Told['change']) => told.filter((one) => one.change === change).length
  return count('FIRING') === count('RESOLVED')
}

async function startOwn(server: Server, opened: AsyncDisposableStack): Promise<NativeServer> {
  return opened.use(await NativeServer.start(server))
}
