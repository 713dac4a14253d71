/**
 * A poller with real Elasticsearch, Kafka and S3 for one test. Whatever stands behind `.changes` is played: a scorer that
 * gives every document the same score, and a snapshot that is written anew after each batch.
 */
import { randomUUID } from 'node:crypto'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { connectKafka, type KafkaConnection, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { GroupConsumer, type IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { createTopics } from '@freshet/adapters/kafka/topics.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { readCursors } from '@freshet/reconcile/read-cursors.ts'
import { putSnapshot } from '@freshet/reconcile/snapshot.kit.ts'
import { CHANGE_HEADER, type Change, decodeChange } from '@freshet/records/change.ts'
import type { Cursor } from '@freshet/records/cursor.ts'
import { compareRevisions } from '@freshet/records/revision.ts'
import { scoreBatchOf } from '@freshet/records/score-batch.kit.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { groupName, TOPICS, type TopicName, topicName } from '@freshet/records/topics.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { poller } from './main.ts'

const DEADLINE_MS = 45_000
const soon = () => AbortSignal.timeout(DEADLINE_MS)

interface IndexBody {
  readonly settings?: object
  readonly mappings?: object
  readonly aliases?: object
}

export class Pipeline implements AsyncDisposable {
  readonly settings: Settings
  /** Names of indices of this test start with it. */
  readonly prefix: string
  readonly client: ReturnType<typeof connectElasticsearch>
  readonly metrics = new Metrics()
  readonly warnings: string[] = []
  /** Of each key the newest change, as every store keeps it. */
  readonly newest = new Map<string, Change>()
  readonly #connection: KafkaConnection
  readonly #state = new ServiceState()
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>[] = []
  readonly #indices = new Set<string>()
  #gate: Promise<void> = Promise.resolve()

  static async open(extra: Readonly<Record<string, string>> = {}): Promise<Pipeline> {
    const pipeline = `t${randomUUID()}`
    const settings = loadSettings({
      env: {
        ...process.env,
        FRESHET_PIPELINE: pipeline,
        FRESHET_ELASTICSEARCH_INDEX: `${pipeline}-*`,
        FRESHET_ELASTICSEARCH_POLL_INTERVAL_MS: '50',
        FRESHET_ELASTICSEARCH_GONE_GRACE_SECONDS: '1',
        FRESHET_SWEEP_PAUSE_SECONDS: '0.1',
        FRESHET_KAFKA_PARTITIONS: '2',
        FRESHET_S3_PREFIX: pipeline,
        ...extra,
      },
    })
    const world = new Pipeline(settings)
    await createTopics(world.#connection, pipeline, settings.kafka, soon())
    return world
  }

  private constructor(settings: Settings) {
    this.settings = settings
    this.prefix = `${settings.pipeline}-`
    this.client = connectElasticsearch(settings.elasticsearch)
    this.#connection = connectKafka(settings.kafka, { clientId: 'test', log: quietLog })
  }

  /** A poller, from here to the end of the test. */
  startPoller(instance = 'poller-test'): void {
    const log = { ...quietLog, warn: (message: string) => void this.warnings.push(message) }
    const telemetry = quietTelemetry({ log, metrics: this.metrics })
    const { settings } = this
    const context = { settings, instance, telemetry, signal: this.#stop.signal }
    this.#running.push(poller.run({ ...context, report: this.#state }))
  }

  /** Keeps `newest`, and the snapshot with it where there is an S3. */
  async startScorer({ hasS3 = true } = {}): Promise<void> {
    const { pipeline, s3 } = this.settings
    if (hasS3) await ensureBucket(s3)
    const consumer = new GroupConsumer(this.#connection, {
      groupId: groupName(pipeline, 'infer'),
      topic: topicName(pipeline, 'changes'),
      stallMs: DEADLINE_MS,
      maxWaitMs: 50,
      log: quietLog,
      clock: systemClock,
    })
    this.#running.push(
      consumer.run(async ({ messages }, lease) => {
        await this.#gate
        this.#take(messages)
        if (hasS3) await putSnapshot(openS3(s3), [[this.#scores()]], pipeline)
        await lease.commit(messages.at(-1)!.offset + 1)
      }, this.#stop.signal),
    )
  }

  /** Until the returned function is called, nothing is scored or stored. */
  holdScorer(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    return resolve
  }

  #take(messages: readonly IncomingMessage[]): void {
    for (const { key, value, headers } of messages) {
      const change = decodeChange(key!, headers[CHANGE_HEADER], value)
      const there = this.newest.get(change.key.toString())
      if (there === undefined || compareRevisions(change.revision, there.revision) > 0)
        this.newest.set(change.key.toString(), change)
    }
  }

  #scores(): ScoreBatch {
    return scoreBatchOf(
      [...this.newest].map(([key, { revision, source }]) => ({
        key,
        ...revision,
        state: source === null ? 'deleted' : 'scored',
      })),
    )
  }

  /** Whether the newest change of the key is a document or a delete; undefined when there is none. */
  standing(key: string): 'lives' | 'deleted' | undefined {
    const change = this.newest.get(key)
    if (change === undefined) return undefined
    return change.source === null ? 'deleted' : 'lives'
  }

  async write(index: string, documents: Readonly<Record<string, object>>): Promise<void> {
    const operations = Object.entries(documents).flatMap(([id, document]) => [
      { index: { _index: index, _id: id } },
      document,
    ])
    const { errors } = await this.client.bulk({ operations })
    if (errors) throw new Error(`not all of ${Object.keys(documents)} were written`)
  }

  async delete(index: string, id: string): Promise<void> {
    await this.client.delete({ index, id })
  }

  async createIndex(index: string, body: IndexBody = {}): Promise<void> {
    this.deleteInTheEnd(index)
    const settings = { number_of_replicas: 0, refresh_interval: '-1', ...body.settings }
    await this.client.transport.request({ method: 'PUT', path: `/${index}`, body: { ...body, settings } })
  }

  deleteInTheEnd(index: string): void {
    this.#indices.add(index)
  }

  /** What the poller says of itself. */
  status(): ReturnType<ServiceState['snapshot']> {
    return this.#state.snapshot()
  }

  /** Units that the poller's stage has worked. */
  progress(stage: string): number {
    return this.#state.snapshot().progress[stage] ?? 0
  }

  sweeps(result: 'final' | 'partial' | 'failed'): number {
    return this.metrics.values()[`freshet.sweep.sweeps.${result}`] ?? 0
  }

  /** By key, as they stand in `.cursors`. */
  async cursors(): Promise<ReadonlyMap<string, Cursor>> {
    return await readCursors(this.#connection, this.settings.pipeline, soon())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#running)
    const topics = (Object.keys(TOPICS) as TopicName[]).map((name) => topicName(this.settings.pipeline, name))
    await withAdmin(this.#connection, { doing: 'deleting', signal: soon() }, (admin) =>
      admin.deleteTopics({ topics }),
    )
    if (this.#indices.size > 0)
      await this.client.indices.delete({ index: [...this.#indices], ignore_unavailable: true })
    await this.client.close()
  }
}
