import { setTimeout as sleep } from 'node:timers/promises'
import { CHECKPOINTS_QUERY } from '@freshet/adapters/elasticsearch/checkpoints.ts'
import { connectKafka } from '@freshet/adapters/kafka/connect.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Stack } from '../stack.ts'
import { startBare } from './bare-process.ts'
import { untilCaptured } from './captured.ts'
import { cpuMicrosOf } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { flightDocuments } from './flight-documents.ts'
import { writeFlights } from './write-flights.ts'

const SHARDS = 50
/** Enough that every shard has been captured. */
const DOCUMENTS = 2_000
const POLL_INTERVAL_MS = 250
const CAPTURE_DEADLINE_MS = 60_000
/** The first sweeps, the last cursors, telemetry of all that, and the compiler's last words. */
const SETTLE_SECONDS = 40
const SWEEP_PAUSE_SECONDS = 5
/** The same of the baseline. */
const BARE_SETTLE_SECONDS = 5
const ROUND_SECONDS = 70

/**
 * What a poller costs that has nothing to do: all of its process, with heartbeats and telemetry, as a user runs it.
 * Baseline: bare-watcher.ts, which begins after the poller's round and ends with its own.
 */
export const captureIdle: Figure = {
  name: 'capture-idle',
  unit: '% of a core',
  title: `one poller watches ${SHARDS} shards every ${POLL_INTERVAL_MS} ms, and nothing happens; a row is a look; baseline: only the looks`,
  targets: [{ of: 'value', atMost: 1 }],
  rounds: 1,
  async open(): Promise<Bench> {
    await using opened = new AsyncDisposableStack()
    const settings = {
      FRESHET_ELASTICSEARCH_POLL_INTERVAL_MS: `${POLL_INTERVAL_MS}`,
      FRESHET_SWEEP_PAUSE_SECONDS: `${SWEEP_PAUSE_SECONDS}`,
    }
    const stack = opened.use(await Stack.open(settings, { shards: SHARDS }))
    await writeFlights(stack, await flightDocuments(DOCUMENTS))
    stack.start('poller', 'scorer') // a sweep is over when what it must know is in the snapshot
    const connection = connectKafka(stack.settings.kafka, { clientId: 'bench', log: quietLog })
    const signal = AbortSignal.timeout(CAPTURE_DEADLINE_MS)
    await untilCaptured(connection, stack.settings.pipeline, { changes: DOCUMENTS, signal })
    await sleep(SETTLE_SECONDS * 1_000)
    const keep = opened.move()
    return {
      ours: () => idle(stack),
      baselines: { looks: () => idleBare(stack) },
      [Symbol.asyncDispose]: () => keep.disposeAsync(),
    }
  },
}

async function idle(stack: Stack): Promise<Sample> {
  const saidBefore = stack.output.poller?.length ?? 0
  const sample = await costOfLooks(stack.pidOf('poller'))
  const said = stack.output.poller?.slice(saidBefore) ?? ''
  if (said !== '') throw new Error(`the poller was not idle: ${said}`)
  return sample
}

async function idleBare({ settings, index }: Stack): Promise<Sample> {
  const url = new URL(`/${index}/_stats/get`, settings.elasticsearch.url)
  for (const [name, value] of Object.entries(CHECKPOINTS_QUERY)) url.searchParams.set(name, String(value))
  await using bare = await startBare(new URL('./bare-watcher.ts', import.meta.url), [
    url.href,
    String(POLL_INTERVAL_MS),
  ])
  await sleep(BARE_SETTLE_SECONDS * 1_000)
  return await costOfLooks(bare.pid)
}

async function costOfLooks(pid: number): Promise<Sample> {
  const startMs = performance.now()
  const before = cpuMicrosOf(pid)
  await sleep(ROUND_SECONDS * 1_000)
  const cpuMicros = cpuMicrosOf(pid) - before
  const tookMs = performance.now() - startMs
  return { value: cpuMicros / tookMs / 10, cpuMicrosPerRow: cpuMicros / (tookMs / POLL_INTERVAL_MS) }
}
