/** Changes that are sent to a scorer, and how long each takes to be a score in Redis. */
import { setTimeout as sleep } from 'node:timers/promises'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import { topicName } from '@freshet/records/topics.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Stack } from '../stack.ts'
import { Arrivals } from './arrivals.ts'
import { ChangeStream } from './change-stream.ts'
import { flightDocuments } from './flight-documents.ts'
import { forgetTopics } from './forget-topics.ts'

const DOCUMENTS = 20_000
const PARTITIONS = 8
/** How often a page of changes is sent by `steadily`. */
export const PAGE_EVERY_MS = 20
const FULL_LOAD_ROWS = 100_000
const FULL_LOAD_PAGE_ROWS = 2_000
const DEADLINE_MS = 60_000

export interface Path {
  readonly stack: Stack
  readonly producer: Producer
  readonly stream: ChangeStream
  readonly arrivals: Arrivals
}

/** Everything but the scorer, which is `scorer` of the stack, with infer and cache. @param opened what it is closed with. */
export async function openPath(
  opened: AsyncDisposableStack,
  env: Readonly<Record<string, string>> = {},
): Promise<Path> {
  const workers = { FRESHET_KAFKA_PARTITIONS: `${PARTITIONS}`, FRESHET_SCORER_WORKERS: 'infer,cache' }
  const stack = opened.use(await Stack.open({ ...workers, ...env }))
  const connection = connectKafka(stack.settings.kafka, { clientId: 'bench', log: quietLog })
  opened.defer(() => forgetTopics(connection, stack.settings.pipeline))
  const options = { clock: systemClock, log: quietLog, deadlineMs: DEADLINE_MS }
  const producer = opened.use(new Producer(connection, options))
  const stream = new ChangeStream(stack, await flightDocuments(DOCUMENTS))
  const arrivals = opened.use(new Arrivals(stack.settings))
  return { stack, producer, stream, arrivals }
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
  readonly latenciesMs: Promise<readonly number[]>
}

function send({ stack, producer, stream, arrivals }: Path, rows: number): Sent {
  const { messages, marks } = stream.page(rows)
  const latenciesMs = arrivals.of(marks)
  const topic = topicName(stack.settings.pipeline, 'changes')
  const acknowledged = producer.send(topic, messages, AbortSignal.timeout(DEADLINE_MS))
  // What fails fails both, and is told once.
  return { acknowledged, latenciesMs: Promise.all([latenciesMs, acknowledged]).then(([ms]) => ms) }
}
