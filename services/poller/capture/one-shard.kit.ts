/** One shard of a real Elasticsearch, captured into a real Kafka scan by scan, as the settings of one test say. */
import { randomBytes } from 'node:crypto'
import type { Client } from '@elastic/elasticsearch'
import { connectElasticsearch } from '@freshet/adapters/elasticsearch/connect.ts'
import { refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import { readShards, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { connectKafka, type KafkaConnection, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import type { IncomingMessage } from '@freshet/adapters/kafka/consumer.ts'
import { readMaxMessageBytes } from '@freshet/adapters/kafka/message-bound.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { readAll } from '@freshet/adapters/kafka/read-all.ts'
import { createTopics } from '@freshet/adapters/kafka/topics.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { Settings } from '@freshet/config/schema.ts'
import { CHANGE_HEADER, type Change, decodeChange } from '@freshet/records/change.ts'
import { DEAD_LETTER_HEADER, type DeadLetter, deadLetterRecord } from '@freshet/records/dead-letter.ts'
import { compareRevisions } from '@freshet/records/revision.ts'
import { type TopicName, topicName } from '@freshet/records/topics.ts'
import { ServiceState } from '@freshet/service/service-state.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { quietTelemetry } from '@freshet/telemetry/telemetry.kit.ts'
import { vi } from 'vitest'
import { newCapture } from './capture.ts'
import { ShardCapture } from './capture-shard.ts'
import type { Capture } from './capture-state.ts'
import { ChangeWriter } from './change-writer.ts'

const DEADLINE_MS = 45_000
const soon = () => AbortSignal.timeout(DEADLINE_MS)

type Elasticsearch = Partial<Settings['elasticsearch']>

export interface Dead {
  readonly key: string
  readonly value: Buffer | null
  readonly letter: DeadLetter
}

export class OneShard implements AsyncDisposable {
  readonly index: string
  readonly client: Client & AsyncDisposable
  readonly connection: KafkaConnection
  readonly producer: Producer
  readonly metrics = new Metrics()
  #settings: Settings
  #capture: Capture

  static async open(elasticsearch: Elasticsearch = {}, body: { settings?: object; mappings?: object } = {}) {
    const pipeline = `t${randomBytes(6).toString('hex')}`
    const shard = new OneShard(pipeline, elasticsearch)
    await createTopics(shard.connection, pipeline, shard.#settings.kafka, soon())
    const settings = { number_of_shards: 1, number_of_replicas: 0, ...body.settings }
    await shard.client.transport.request({
      method: 'PUT',
      path: `/${shard.index}`,
      body: { ...body, settings },
    })
    return shard
  }

  private constructor(pipeline: string, elasticsearch: Elasticsearch) {
    const settings = loadSettings({
      env: { ...process.env, FRESHET_PIPELINE: pipeline, FRESHET_ELASTICSEARCH_INDEX: pipeline },
    })
    this.index = pipeline
    this.#settings = { ...settings, elasticsearch: { ...settings.elasticsearch, ...elasticsearch } }
    this.client = connectElasticsearch(settings.elasticsearch)
    this.connection = connectKafka(settings.kafka, { clientId: 'test', log: quietLog })
    const options = { clock: systemClock, log: quietLog, deadlineMs: DEADLINE_MS }
    this.producer = new Producer(this.connection, options)
    this.#capture = newCapture(pipeline, 0)
  }

  get elasticsearch(): Settings['elasticsearch'] {
    return this.#settings.elasticsearch
  }

  /** As after a restart with other settings. */
  reconfigure(elasticsearch: Elasticsearch): void {
    this.#settings = {
      ...this.#settings,
      elasticsearch: { ...this.#settings.elasticsearch, ...elasticsearch },
    }
  }

  topic(name: TopicName): string {
    return topicName(this.#settings.pipeline, name)
  }

  /** @param source text is sent as it is; again when the server has no memory for it now. */
  async put(id: string, source: string | object): Promise<void> {
    const body = typeof source === 'string' ? source : JSON.stringify(source)
    const path = `/${this.index}/_doc/${encodeURIComponent(id)}`
    const headers = { 'content-type': 'application/json' }
    await vi.waitFor(
      async () => void (await this.client.transport.request({ method: 'PUT', path, body }, { headers })),
      { timeout: DEADLINE_MS, interval: 200 },
    )
  }

  /** As the poller makes it. */
  async writer(): Promise<ChangeWriter> {
    const maxMessageBytes = await readMaxMessageBytes(this.connection, this.#settings.pipeline, soon())
    return new ChangeWriter({ ...this.#parts(), maxMessageBytes })
  }

  #parts() {
    const settings = this.#settings
    return {
      ...{ settings, client: this.client, producer: this.producer },
      scope: scopeOf(settings.elasticsearch),
      telemetry: quietTelemetry({ metrics: this.metrics }),
      clock: systemClock,
      report: new ServiceState(),
    }
  }

  /** One look at the shard and what follows from it. */
  async scan(): Promise<Capture> {
    const parts = this.#parts()
    const signal = soon()
    const world = { ...parts, writer: await this.writer(), signal, grace: signal }
    const view = await this.#look()
    const scan = new ShardCapture(world, view, this.#capture, () => refresh(this.client, this.index, signal))
    const { identity, globalCheckpoint, maxSeqNo } = view
    const seen = { kind: 'observed', identity, globalCheckpoint, maxSeqNo, scope: parts.scope.hash } as const
    const newEpoch = Math.max(Date.now(), this.#capture.cursor.epoch + 1)
    const { state, error } = await scan.run({ ...seen, newEpoch })
    this.#capture = state
    if (error !== undefined) throw error
    return state
  }

  /** Once all that is written is on the disk of the only copy. */
  #look(): Promise<ShardView> {
    return vi.waitFor(
      async () => {
        const { readable } = await readShards(this.client, this.index, soon())
        const [view] = readable
        if (view === undefined || view.globalCheckpoint < view.maxSeqNo)
          throw new Error(`${this.index} is not ready`)
        return view
      },
      { timeout: DEADLINE_MS, interval: 100 },
    )
  }

  /** What a store would keep: of each key the change with the highest revision. */
  async kept(): Promise<Map<string, Change>> {
    const kept = new Map<string, Change>()
    for (const { key, headers, value } of await this.#read('changes')) {
      const change = decodeChange(key!, headers[CHANGE_HEADER], value)
      const there = kept.get(key!.toString())
      if (there === undefined || compareRevisions(change.revision, there.revision) > 0)
        kept.set(key!.toString(), change)
    }
    return kept
  }

  /** The same as text; null for a delete. */
  async sources(): Promise<Record<string, string | null>> {
    const entries = [...(await this.kept())].map(
      ([key, { source }]) => [key, source?.toString() ?? null] as const,
    )
    return Object.fromEntries(entries)
  }

  async dead(): Promise<Dead[]> {
    const messages = await this.#read('dead')
    return messages.map(({ key, value, headers }) => ({
      key: key!.toString(),
      value,
      letter: deadLetterRecord.decode(headers[DEAD_LETTER_HEADER]!),
    }))
  }

  async #read(name: TopicName): Promise<IncomingMessage[]> {
    const messages: IncomingMessage[] = []
    await readAll(this.connection, this.topic(name), {
      onMessage: (_, message) => void messages.push(message),
      signal: soon(),
      deadlineMs: DEADLINE_MS,
    })
    return messages
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.transport.request({
      method: 'DELETE',
      path: `/${this.index}`,
      querystring: { ignore_unavailable: true },
    })
    await this.client[Symbol.asyncDispose]()
    await this.producer[Symbol.asyncDispose]()
    const mine = `${this.#settings.pipeline}.`
    await withAdmin(this.connection, { doing: 'deleting topics', signal: soon() }, async (admin) => {
      const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(mine))
      await admin.deleteTopics({ topics })
    })
  }
}
