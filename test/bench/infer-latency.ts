import { setTimeout as sleep } from 'node:timers/promises'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Stack } from '../stack.ts'
import { Arrivals } from './arrivals.ts'
import { ChangeStream } from './change-stream.ts'
import { cpuMicrosOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { flightDocuments } from './flight-documents.ts'
import { forgetTopics } from './forget-topics.ts'

const DOCUMENTS = 20_000
const PARTITIONS = 8
/** How often a page of changes is sent, at half load. */
const PAGE_EVERY_MS = 20
const FULL_LOAD_ROWS = 100_000
const FULL_LOAD_PAGE_ROWS = 2_000
const WARM_UP_SECONDS = 4
const ROUND_SECONDS = 8
const DEADLINE_MS = 60_000
const LOAD_SHARE = 0.5

/**
 * What scoring adds to a change: from the moment before it is handed to Kafka until its score is seen in Redis, through
 * `freshet run scorer` as it is with infer and cache, while changes come at half of what it was just seen to take in.
 * Only the last change of each partition of a page is looked for, so these are the slowest of each page. No baseline:
 * what Kafka and Redis take is part of it.
 */
export const inferLatency: Figure = {
  name: 'infer-latency',
  unit: 'ms (p99)',
  title: 'change to Redis at half of the full load',
  target: '≤ 50 ms',
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const stack = opened.use(
      await Stack.open({
        FRESHET_KAFKA_PARTITIONS: `${PARTITIONS}`,
        FRESHET_SCORER_WORKERS: 'infer,cache',
      }),
    )
    const connection = connectKafka(stack.settings.kafka, { clientId: 'bench', log: quietLog })
    opened.defer(() => forgetTopics(connection, stack.settings.pipeline))
    const options = { clock: systemClock, log: quietLog, deadlineMs: DEADLINE_MS }
    const producer = opened.use(new Producer(connection, options))
    const stream = new ChangeStream(stack, await flightDocuments(DOCUMENTS))
    const arrivals = opened.use(new Arrivals(stack.settings))
    const path: Path = { stack, producer, stream, arrivals }
    stack.start('scorer')
    await fullLoad(path) // V8 has seen nothing yet
    const keep = opened.move()
    return {
      ours: () => round(path),
      baselines: {},
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

export interface Path {
  readonly stack: Stack
  readonly producer: Producer
  readonly stream: ChangeStream
  readonly arrivals: Arrivals
}

async function round(path: Path): Promise<Sample> {
  const fullRowsPerSecond = await fullLoad(path)
  const pageRows = Math.round((fullRowsPerSecond * LOAD_SHARE * PAGE_EVERY_MS) / 1_000)
  await steadily(path, pageRows, WARM_UP_SECONDS)
  const before = cpuMicrosOf(path.stack.pidOf('scorer'))
  const { rows, latenciesMs } = await steadily(path, pageRows, ROUND_SECONDS)
  const cpuMicros = cpuMicrosOf(path.stack.pidOf('scorer')) - before
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!
  const load = { fullRowsPerSecond, rowsPerSecond: rows / ROUND_SECONDS }
  const also = { p50Ms: at(0.5), p90Ms: at(0.9), maxMs: at(1), ...load }
  return { value: at(0.99), cpuMicrosPerRow: cpuMicros / rows, also }
}

/** All at once. @returns how many a second came through */
export async function fullLoad(path: Path): Promise<number> {
  const startMs = performance.now()
  const pages: Sent[] = []
  for (let rows = 0; rows < FULL_LOAD_ROWS; rows += FULL_LOAD_PAGE_ROWS) {
    const page = send(path, FULL_LOAD_PAGE_ROWS)
    pages.push(page)
    await page.acknowledged
  }
  await Promise.all(pages.map(({ latenciesMs }) => latenciesMs))
  return Math.round((FULL_LOAD_ROWS / (performance.now() - startMs)) * 1_000)
}

/** Each page in its own time, whether or not the one before has come through: a scorer that stands still is not spared. */
export async function steadily(path: Path, pageRows: number, seconds: number) {
  const sent: Sent[] = []
  const startMs = performance.now()
  const pages = (seconds * 1_000) / PAGE_EVERY_MS
  for (let page = 0; page < pages; page++) {
    await sleep(Math.max(0, startMs + page * PAGE_EVERY_MS - performance.now()))
    sent.push(send(path, pageRows))
  }
  const latenciesMs = await Promise.all(sent.map((page) => page.latenciesMs))
  return { rows: pages * pageRows, latenciesMs: latenciesMs.flat() }
}

interface Sent {
  readonly acknowledged: Promise<void>
  /** Of its marks, once all are there. */
  readonly latenciesMs: Promise<number[]>
}

function send({ stack, producer, stream, arrivals }: Path, rows: number): Sent {
  const { messages, marks } = stream.page(rows)
  const latenciesMs = arrivals.of(marks)
  const topic = topicName(stack.settings.pipeline, 'changes')
  const acknowledged = producer.send(topic, messages, AbortSignal.timeout(DEADLINE_MS))
  // What fails fails both, and is told once.
  return { acknowledged, latenciesMs: Promise.all([latenciesMs, acknowledged]).then(([ms]) => ms) }
}
