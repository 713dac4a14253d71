/** A pipeline for one integration test, on the servers that the environment names: topics, bucket, a promoted model. */
import { randomUUID } from 'node:crypto'
import { connectKafka, type KafkaConnection, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { createTopics } from '@freshet/adapters/kafka/topics.ts'
import { RedisScoreStore } from '@freshet/adapters/redis/redis-score-store.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import type { ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { demoBundle } from '@freshet/model/bundle/bundles.kit.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { type DocumentScore, scoreDocuments } from '@freshet/model/run/score-documents.ts'
import { CHANGE_HEADER, type Change, encodeChangeHeader } from '@freshet/records/change.ts'
import { compareRevisions } from '@freshet/records/revision.ts'
import type { StoredScore } from '@freshet/records/stored-score.ts'
import { type TopicName, topicName } from '@freshet/records/topics.ts'
import type { ServiceContext } from '@freshet/service/service.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Log } from '@freshet/stage/log.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { runScorer } from './main.ts'

const PARTITIONS = 4
const DEADLINE_MS = 30_000

export type Expected = Pick<StoredScore, 'state' | 'outputs'>

export class World implements AsyncDisposable {
  readonly settings: Settings
  readonly bundle: ModelBundle
  readonly connection: KafkaConnection
  readonly producer: Producer
  readonly metrics = new Metrics()
  readonly spans = new InMemorySpanExporter()
  /** Lines of level warn and error so far. */
  readonly complaints: string[] = []
  /** Lines of level info so far. */
  readonly news: string[] = []
  readonly #log: Log = {
    ...quietLog,
    info: (message) => void this.news.push(message),
    warn: (message) => void this.complaints.push(message),
    error: (message, error) => void this.complaints.push(`${message}: ${error}`),
  }

  static async open(extra: Readonly<Record<string, string>> = {}): Promise<World> {
    const pipeline = `t${randomUUID()}`
    const settings = loadSettings({
      env: {
        ...process.env,
        FRESHET_PIPELINE: pipeline,
        FRESHET_S3_PREFIX: pipeline,
        FRESHET_KAFKA_PARTITIONS: `${PARTITIONS}`,
        FRESHET_REDIS_TTL_SECONDS: '600',
        ...extra,
      },
    })
    const world = new World(settings, await demoBundle())
    await createTopics(world.connection, pipeline, settings.kafka, AbortSignal.timeout(DEADLINE_MS))
    await ensureBucket(settings.s3)
    await using store = openS3(settings.s3)
    await pushModel(store, world.bundle)
    await promoteModel(store, world.bundle.spec, Date.now())
    return world
  }

  private constructor(settings: Settings, bundle: ModelBundle) {
    this.settings = settings
    this.bundle = bundle
    this.connection = connectKafka(settings.kafka, { clientId: 'test', log: this.#log })
    this.producer = new Producer(this.connection, {
      clock: systemClock,
      log: this.#log,
      deadlineMs: DEADLINE_MS,
    })
  }

  context(signal: AbortSignal): ServiceContext {
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.spans)] })
    const telemetry = quietTelemetry({
      log: this.#log,
      tracer: provider.getTracer('test'),
      metrics: this.metrics,
      [Symbol.asyncDispose]: () => provider.shutdown(),
    })
    const report = new ServiceState()
    return { settings: this.settings, instance: 'scorer-test', telemetry, signal, report }
  }

  topic(name: TopicName): string {
    return topicName(this.settings.pipeline, name)
  }

  async write(changes: readonly Change[]): Promise<void> {
    const messages = changes.map((change) => ({
      partition: partitionOf(change.key, PARTITIONS),
      key: change.key,
      value: change.source,
      headers: { [CHANGE_HEADER]: encodeChangeHeader(change) },
    }))
    await this.producer.send(this.topic('changes'), messages, AbortSignal.timeout(DEADLINE_MS))
  }

  async read(name: TopicName): Promise<IncomingMessage[]> {
    const messages: IncomingMessage[] = []
    await readAll(this.connection, this.topic(name), {
      onMessage: (_, message) => void messages.push(message),
      signal: AbortSignal.timeout(DEADLINE_MS),
      deadlineMs: DEADLINE_MS,
    })
    return messages
  }

  /** What the cache holds. */
  async stored(keys: Iterable<string>): Promise<Map<string, StoredScore | undefined>> {
    const { redis, pipeline } = this.settings
    await using cache = await RedisScoreStore.open(redis, { pipeline, log: this.#log })
    return new Map(await Promise.all([...keys].map(async (key) => [key, await cache.get(key)] as const)))
  }

  /** The plain truth: of each key the newest change, scored alone. */
  async expected(changes: readonly Change[]): Promise<Map<string, Expected>> {
    const newest = new Map<string, Change>()
    for (const change of changes) {
      const there = newest.get(change.key.toString())
      if (there === undefined || compareRevisions(change.revision, there.revision) > 0)
        newest.set(change.key.toString(), change)
    }
    const documents = [...newest.values()].flatMap(({ source }) => source ?? [])
    const scores = (await scoreDocuments(this.bundle, documents)).values()
    return new Map([...newest].map(([key, { source }]) => [key, expectedOf(source && scores.next().value!)]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.producer[Symbol.asyncDispose]()
    const topics = (
      await withAdmin(this.connection, { doing: 'listing', signal: AbortSignal.timeout(20_000) }, (admin) =>
        admin.listTopics(),
      )
    ).filter((topic) => topic.startsWith(`${this.settings.pipeline}.`))
    await withAdmin(this.connection, { doing: 'deleting', signal: AbortSignal.timeout(20_000) }, (admin) =>
      admin.deleteTopics({ topics }),
    )
  }
}

/** Runs one scorer while `during` does its part, then stops it as SIGTERM would. */
export async function withScorer(world: World, during: () => Promise<void>): Promise<void> {
  await whileRunning((signal) => [runScorer(world.context(signal))], during)
}

/**
 * Runs what `start` starts while `during` does its part, then aborts its signal and waits for it.
 * @throws also when one of them ends by itself: what `during` saw after that would say nothing
 */
export async function whileRunning(
  start: (signal: AbortSignal) => readonly Promise<void>[],
  during: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const running = start(stop.signal)
  const early = running.map(async (one) => {
    await one
    if (!stop.signal.aborted) throw new Error('it ended before it was told to')
  })
  try {
    await Promise.race([during(), Promise.all(early)])
  } finally {
    stop.abort()
    await Promise.all(running)
  }
}

function expectedOf(score: DocumentScore | null): Expected {
  if (score === null) return { state: 'deleted', outputs: {} }
  return score.state === 'scored' ? score : { state: 'unscorable', outputs: {} }
}
