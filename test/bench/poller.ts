import { readPage, refresh } from '@freshet/adapters/elasticsearch/read-page.ts'
import { readShards, type ShardView } from '@freshet/adapters/elasticsearch/shards.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { newCapture } from '@freshet/poller/capture/capture.ts'
import { ShardCapture } from '@freshet/poller/capture/capture-shard.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { Stack } from '../stack.ts'
import { until } from '../until.ts'
import { type Cost, costOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { flightDocuments } from './flight-documents.ts'
import { openBenchTelemetry, reportTo } from './in-process.ts'
import { writeFlights } from './write-flights.ts'

const DOCUMENTS = 60_000
const PARTITIONS = 8
const ROUND_DEADLINE_MS = 120_000
const PRODUCE_DEADLINE_MS = 60_000

/**
 * A whole shard from Elasticsearch to Kafka, to the last acknowledgement and the saved cursor. Two baselines only read the
 * same pages one after the other: a bare loop over the official client's `search`, and one over our own reader, which
 * does not parse the documents.
 */
export const poller = pollerFigure({
  name: 'poller',
  title: `capture of a shard of ${DOCUMENTS} documents into .changes; baseline: a loop that only searches its pages`,
  target: 'ratio ≥ 0.4',
  baseline: searchOnly,
})

export const pollerAgainstReader = pollerFigure({
  name: 'poller-against-reader',
  title: 'the same; baseline: our own reader of pages alone',
  target: 'none: a faster reader lowers it',
  baseline: readOnly,
})

interface Parts extends Pick<Figure, 'name' | 'title' | 'target'> {
  readonly baseline: (stack: Stack, view: ShardView) => Promise<Sample>
}

function pollerFigure({ baseline, ...figure }: Parts): Figure {
  return {
    ...figure,
    unit: 'documents/s',
    async open(): Promise<Bench> {
      await using opened = new AsyncDisposableStack()
      const stack = opened.use(await Stack.open({ FRESHET_KAFKA_PARTITIONS: `${PARTITIONS}` }, { shards: 1 }))
      await writeFlights(stack, await flightDocuments(DOCUMENTS))
      await stack.client.indices.refresh({ index: stack.index })
      const telemetry = opened.use(openBenchTelemetry(stack.settings))
      const connection = connectKafka(stack.settings.kafka, { clientId: 'bench', log: telemetry.log })
      const options = { clock: systemClock, log: telemetry.log, deadlineMs: PRODUCE_DEADLINE_MS }
      const producer = opened.use(new Producer(connection, options))
      const view = await writtenShard(stack)
      const keep = opened.move()
      return {
        ours: () => capture(stack, view, { producer, telemetry }),
        baseline: () => baseline(stack, view),
        [Symbol.asyncDispose]: () => keep.disposeAsync(),
      }
    },
  }
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

async function capture(
  { settings, client, index }: Stack,
  view: ShardView,
  parts: { producer: Producer; telemetry: Telemetry },
): Promise<Sample> {
  const signal = AbortSignal.timeout(ROUND_DEADLINE_MS)
  let captured = 0
  const report = reportTo({
    progressed: (_, changes) => {
      captured += changes
    },
  })
  const world = { ...parts, settings, client, clock: systemClock, report, signal, grace: signal }
  const cost = await costOf(async () => {
    const scan = new ShardCapture(world, view, () => refresh(client, index, signal))
    const { error } = await scan.run(newCapture(index, view.shard), Date.now())
    if (error !== undefined) throw error
  })
  return sampleOf(cost, captured)
}

async function searchOnly({ settings, client, index }: Stack, view: ShardView): Promise<Sample> {
  const { shard, identity, globalCheckpoint } = view
  let read = 0
  const cost = await costOf(async () => {
    for (let seqNo = -1; seqNo < globalCheckpoint; ) {
      const { hits } = await client.search({
        index,
        preference: `_shards:${shard}|_only_nodes:${identity.node}`,
        seq_no_primary_term: true,
        track_total_hits: false,
        size: settings.elasticsearch.pageRows,
        sort: [{ _seq_no: 'asc' }],
        query: { range: { _seq_no: { gt: seqNo, lte: globalCheckpoint } } },
      })
      read += hits.hits.length
      seqNo = hits.hits.at(-1)!._seq_no!
    }
  })
  return sampleOf(cost, read)
}

async function readOnly({ settings, client, index }: Stack, view: ShardView): Promise<Sample> {
  const signal = AbortSignal.timeout(ROUND_DEADLINE_MS)
  const rows = settings.elasticsearch.pageRows
  let read = 0
  const cost = await costOf(async () => {
    for (let seqNo = -1; seqNo < view.globalCheckpoint; ) {
      const { shard, identity, globalCheckpoint: toSeqNo } = view
      const from = { seqNo, inclusive: false }
      const page = { index, shard, node: identity.node, from, toSeqNo, rows }
      const { hits } = await readPage(client, page, signal)
      read += hits.length
      seqNo = hits.at(-1)!.seqNo
    }
  })
  return sampleOf(cost, read)
}

function sampleOf({ seconds, cpuMicros }: Cost, documents: number): Sample {
  if (documents !== DOCUMENTS) throw new Error(`${documents} documents came, not ${DOCUMENTS}`)
  return { value: documents / seconds, cpuMicrosPerRow: cpuMicros / documents }
}
