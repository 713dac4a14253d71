import { refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import { readShards, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { type OutgoingMessage, Producer } from '@freshet/adapters/kafka/producer.ts'
import { scopeOf } from '@freshet/capture/scope.ts'
import { newCapture } from '@freshet/poller/capture/capture.ts'
import { ShardCapture } from '@freshet/poller/capture/capture-shard.ts'
import { ChangeWriter } from '@freshet/poller/capture/change-writer.ts'
import { MAX_MESSAGE_BYTES, topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { Stack } from '../stack.ts'
import { until } from '../until.ts'
import { BareReader } from './bare-reader.ts'
import { changePages } from './change-pages.ts'
import { costOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { flightDocuments } from './flight-documents.ts'
import { forgetTopics } from './forget-topics.ts'
import { openBenchTelemetry, reportTo } from './in-process.ts'
import { writeFlights } from './write-flights.ts'

const DOCUMENTS = 60_000
/** Of the shard in a round: one alone is over in a quarter of a second, too short to measure. */
const PASSES = 5
const PARTITIONS = 8
const ROUND_DEADLINE_MS = 120_000
const PRODUCE_DEADLINE_MS = 60_000

/**
 * A whole shard from Elasticsearch to Kafka, to the last acknowledgement and the saved cursor. Two bare loops are its
 * limit: `read` reads the same pages and throws the bytes away, `write` sends the same messages, which lie ready in
 * memory, through our own producer.
 *
 * The alternative, kafka-connect-elasticsearch-source 1.5.5, was measured elsewhere on Elasticsearch 8.19.7 (9.x it cannot
 * read): 17,400 documents/s at 38 µs CPU a document.
 */
export const capture: Figure = {
  name: 'capture',
  unit: 'documents/s',
  title: `capture of a shard of ${DOCUMENTS} documents into .changes; baseline: only reading, only writing`,
  targets: [
    { of: 'value', than: 'baseline', atLeast: 0.6 },
    { of: 'cpuMicrosPerRow', than: 'baseline', atMost: 1.3 },
    { of: 'cpuMicrosPerRow', atMost: 10 },
  ],
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const stack = opened.use(await Stack.open({ FRESHET_KAFKA_PARTITIONS: `${PARTITIONS}` }, { shards: 1 }))
    await writeFlights(stack, await flightDocuments(DOCUMENTS))
    await stack.client.indices.refresh({ index: stack.index })
    const sourceBytes = totalSourceBytes(await readyPages(stack))
    const telemetry = opened.use(openBenchTelemetry(stack.settings))
    const connection = connectKafka(stack.settings.kafka, { clientId: 'bench', log: telemetry.log })
    opened.defer(() => forgetTopics(connection, stack.settings.pipeline))
    const options = { clock: systemClock, log: telemetry.log, deadlineMs: PRODUCE_DEADLINE_MS }
    const producer = opened.use(new Producer(connection, options))
    const view = await writtenShard(stack)
    const reader = opened.use(new BareReader(stack, view))
    const keep = opened.move()
    return {
      ours: () => sample((signal) => captureShard(stack, view, { producer, telemetry, signal })),
      baselines: {
        read: () => sample(() => readOnly(reader, sourceBytes)),
        // Made for each round and let go of: else the garbage collector walks over them in ours as well.
        write: async () => {
          const pages = await readyPages(stack)
          return await sample((signal) => writeOnly(stack, producer, pages, signal))
        },
      },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

/** The shard once its checkpoint has passed all documents. */
async function writtenShard({ client, index }: Stack): Promise<ShardView> {
  let view: ShardView | undefined
  await until('the checkpoint has passed all documents', async () => {
    view = (await readShards(client, index, AbortSignal.timeout(5_000))).readable[0]
    return view?.globalCheckpoint === DOCUMENTS - 1
  })
  return view!
}

/** @param pass through the whole shard; resolves with the documents that it handled. */
async function sample(pass: (signal: AbortSignal) => Promise<number>): Promise<Sample> {
  const signal = AbortSignal.timeout(ROUND_DEADLINE_MS)
  let documents = 0
  const { seconds, cpuMicros } = await costOf(async () => {
    for (let i = 0; i < PASSES; i++) documents += await pass(signal)
  })
  if (documents !== PASSES * DOCUMENTS)
    throw new Error(`${documents} documents came, not ${PASSES * DOCUMENTS}`)
  return { value: documents / seconds, cpuMicrosPerRow: cpuMicros / documents }
}

async function captureShard(
  { settings, client, index }: Stack,
  view: ShardView,
  { signal, ...parts }: { producer: Producer; telemetry: Telemetry; signal: AbortSignal },
): Promise<number> {
  let captured = 0
  const report = reportTo({
    progressed: (_, changes) => {
      captured += changes
    },
  })
  const scope = scopeOf(settings.elasticsearch)
  const shared = { ...parts, settings, scope, clock: systemClock, report }
  const writer = new ChangeWriter({ ...shared, maxMessageBytes: MAX_MESSAGE_BYTES })
  const world = { ...shared, client, writer, signal, grace: signal }
  const scan = new ShardCapture(world, view, newCapture(index, view.shard), () =>
    refresh(client, index, signal),
  )
  const { identity, globalCheckpoint, maxSeqNo } = view
  const seen = { kind: 'observed', identity, globalCheckpoint, maxSeqNo, scope: scope.hash } as const
  const { error } = await scan.run({ ...seen, newEpoch: Date.now() })
  if (error !== undefined) throw error
  return captured
}

async function readyPages(stack: Stack): Promise<readonly OutgoingMessage[][]> {
  return [...changePages(stack, await flightDocuments(DOCUMENTS))]
}

function totalSourceBytes(pages: readonly OutgoingMessage[][]): number {
  return pages.flat().reduce((sum, { value }) => sum + value!.length, 0)
}

/** Nobody looks at the bytes, but all documents must be among them. */
async function readOnly(reader: BareReader, sourceBytes: number): Promise<number> {
  return (await reader.readAll(DOCUMENTS)) > sourceBytes ? DOCUMENTS : 0
}

async function writeOnly(
  { settings }: Stack,
  producer: Producer,
  pages: readonly OutgoingMessage[][],
  signal: AbortSignal,
): Promise<number> {
  const topic = topicName(settings.pipeline, 'changes')
  for (const page of pages) await producer.send(topic, page, signal)
  return DOCUMENTS
}
