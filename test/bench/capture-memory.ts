import { fileURLToPath } from 'node:url'
import { connectKafka, type KafkaConnection } from '@freshet/adapters/kafka/connect.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Stack } from '../stack.ts'
import { BARE_POLLER, barePollerArgs } from './bare-programs.ts'
import { untilCaptured } from './captured.ts'
import { cpuMicrosOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { forgetTopics } from './forget-topics.ts'
import { curveOf, type MemoryPoint, slopeOf } from './memory-curve.ts'
import { ReportingProcess, reportingService } from './reporting-process.ts'

const DOCUMENTS = 5_000_000
const BULK_DOCUMENTS = 5_000
const PARTITIONS = 8
const ROUND_DEADLINE_MS = 1_200_000
/** Until then it warms up: compiled code, buffers, the heap's first growth. */
const STEADY_FROM = 1_000_000

/**
 * What a poller holds while it captures an index for the first time, as a user runs it. From the first million on the
 * line through what it holds (RSS) must not rise. Takes about 2 GiB of disk until it ends. Baseline: bare-poller.ts, over
 * the same index.
 */
export const captureMemory: Figure = {
  name: 'capture-memory',
  unit: 'MiB a million documents',
  title: `by how much a poller grows while it captures ${DOCUMENTS.toLocaleString('en')} documents; baseline: search and stock kafkajs`,
  /** To keep 16 bytes a document would be 15. */
  targets: [{ of: 'value', atMost: 5 }],
  rounds: 1,
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const source = opened.use(await Stack.open({}, { shards: 1 }))
    await source.client.indices.putMapping({ index: source.index, dynamic: false })
    await writeAll(source)
    const keep = opened.move()
    return {
      ours: () => captureAll(source, (stack) => reportingService(stack, 'poller')),
      baselines: { bare: () => captureAll(source, barePoller) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

/** Elasticsearch gives the ids, so that the same bytes are new documents each time. */
async function writeAll({ client, index }: Stack): Promise<void> {
  const line = `{"index":{}}\n{"at":"2026-01-01T00:00:00Z","state":"open","amount":12.5,"count":3}\n`
  const bulkBody = line.repeat(BULK_DOCUMENTS)
  const request = {
    method: 'POST',
    path: `/${index}/_bulk`,
    querystring: { filter_path: 'errors' },
    bulkBody,
  }
  for (let sent = 0; sent < DOCUMENTS; sent += BULK_DOCUMENTS) {
    const { errors } = await client.transport.request<{ errors: boolean }>(request)
    if (errors) throw new Error('Elasticsearch refused documents')
  }
}

/** Into the topics of a pipeline of its own. */
async function captureAll(source: Stack, start: (stack: Stack) => ReportingProcess): Promise<Sample> {
  await using opened = new AsyncDisposableStack()
  const env = { FRESHET_KAFKA_PARTITIONS: `${PARTITIONS}`, FRESHET_ELASTICSEARCH_INDEX: source.index }
  const stack = opened.use(await Stack.open(env))
  const connection = connectKafka(stack.settings.kafka, { clientId: 'bench', log: quietLog })
  opened.defer(() => forgetTopics(connection, stack.settings.pipeline))
  await using poller = start(stack)
  return await growthOf(poller, stack, connection)
}

function barePoller({ settings, env }: Stack): ReportingProcess {
  return new ReportingProcess(fileURLToPath(BARE_POLLER), barePollerArgs(settings), env)
}

async function growthOf(
  poller: ReportingProcess,
  { settings }: Stack,
  connection: KafkaConnection,
): Promise<Sample> {
  const signal = AbortSignal.any([AbortSignal.timeout(ROUND_DEADLINE_MS), poller.ended])
  const points: MemoryPoint[] = []
  const beganAtMs = performance.now()
  const onLook = (changes: number) => {
    if (poller.memory !== undefined) points.push({ documents: changes, ...poller.memory })
  }
  await untilCaptured(connection, settings.pipeline, { changes: DOCUMENTS, onLook, signal })
  const seconds = (performance.now() - beganAtMs) / 1_000
  const steady = points.filter(({ documents }) => documents >= STEADY_FROM)
  return {
    value: slopeOf(steady, 'rssMiB'),
    cpuMicrosPerRow: cpuMicrosOf(poller.pid) / DOCUMENTS,
    also: { seconds, heapSlope: slopeOf(steady, 'heapMiB'), ...curveOf(points) },
  }
}
