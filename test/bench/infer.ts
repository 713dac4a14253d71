import { connectKafka, type KafkaConnection, withAdmin } from '@freshet/adapters/kafka/connect.ts'
import { Producer } from '@freshet/adapters/kafka/producer.ts'
import type { Flight } from '@freshet/demo/flights.ts'
import type { ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { pushModel } from '@freshet/model/bundle/bundle-store.ts'
import { promoteModel } from '@freshet/model/bundle/pointer-store.ts'
import { compileColumns } from '@freshet/model/features/columns.ts'
import { groupName, topicName } from '@freshet/records/topics.ts'
import { DeadLetters } from '@freshet/scorer/dead-letters.ts'
import { type InferWorkerDeps, runInfer } from '@freshet/scorer/infer-worker.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import type { Telemetry } from '@freshet/telemetry/telemetry.ts'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { Stack } from '../stack.ts'
import { changePages } from './change-pages.ts'
import { classifierBundle } from './classifier-bundle.ts'
import { type Cost, costOf, stopwatch } from './cost.ts'
import type { Bench, Figure, Sample } from './figure.ts'
import { flightDocuments } from './flight-documents.ts'
import { forgetTopics } from './forget-topics.ts'
import { openBenchTelemetry, reportTo } from './in-process.ts'

const CHANGES = 150_000
const PARTITIONS = 8
const RUN_ROWS = 64
const ROUND_DEADLINE_MS = 120_000
const PRODUCE_DEADLINE_MS = 60_000

/**
 * All of `.changes` from Kafka to acknowledged score batches, from the moment the model is loaded. Rows for each second
 * of CPU time, all threads together: what one core does, whoever else uses the machine.
 * Baseline: the bare model on rows that lie ready.
 */
export const infer: Figure = {
  name: 'infer',
  unit: 'rows/CPU-s',
  title: `${CHANGES} changes scored, from Kafka to acknowledged batches; baseline: only ONNX Runtime, ${RUN_ROWS} rows a call`,
  targets: [{ of: 'value', atLeast: 100_000 }],
  open: () => openWithBareModel(),
}

/** The same with a model that is no sum of trees, so that ONNX Runtime scores ours, too. */
export const inferClassifier: Figure = {
  name: 'infer-classifier',
  unit: 'rows/CPU-s',
  title: `the same with a classifier of 200 trees, which ONNX Runtime scores; baseline: only ONNX Runtime, ${RUN_ROWS} rows a call`,
  targets: [],
  open: async () => openWithBareModel(await classifierBundle()),
}

/** @param promoted instead of the demo's model */
async function openWithBareModel(promoted?: ModelBundle): Promise<Bench> {
  await using opened = new AsyncDisposableStack()
  const { bundle, flights, scoreAll } = opened.use(await openScoring(promoted))
  const session = await openBareSession(bundle)
  opened.defer(() => session.release())
  const matrix = matrixOf(bundle, flights)
  const keep = opened.move()
  return {
    ours: () => scoreAll(),
    baselines: { model: () => runBare(bundle, session, matrix) },
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  }
}

/** A `.changes` that is full, and the scorer's loop over it; for whoever compares with that. */
export interface Scoring extends AsyncDisposable {
  readonly stack: Stack
  readonly connection: KafkaConnection
  readonly flights: readonly Flight[]
  readonly bundle: ModelBundle
  /** All of it, from the beginning. @param telemetry the real one unless told */
  scoreAll(telemetry?: Telemetry): Promise<Sample>
}

/** @param promoted instead of the demo's model */
export async function openScoring(promoted?: ModelBundle): Promise<Scoring> {
  await using opened = new AsyncDisposableStack()
  const stack = opened.use(await Stack.open({ FRESHET_KAFKA_PARTITIONS: `${PARTITIONS}` }))
  if (promoted !== undefined) {
    await pushModel(stack.store, promoted)
    await promoteModel(stack.store, promoted.spec, Date.now())
  }
  const telemetry = opened.use(openBenchTelemetry(stack.settings))
  const connection = connectKafka(stack.settings.kafka, { clientId: 'bench', log: telemetry.log })
  opened.defer(() => forgetTopics(connection, stack.settings.pipeline))
  const options = { clock: systemClock, log: telemetry.log, deadlineMs: PRODUCE_DEADLINE_MS }
  const producer = opened.use(new Producer(connection, options))
  const flights = await flightDocuments(CHANGES)
  await fillChanges(stack, producer, flights)
  const keep = opened.move()
  return {
    stack,
    connection,
    flights,
    bundle: promoted ?? stack.bundle,
    scoreAll: (told = telemetry) => scoreAll(stack, { connection, producer, telemetry: told }),
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  }
}

async function fillChanges(stack: Stack, producer: Producer, flights: readonly Flight[]): Promise<void> {
  const topic = topicName(stack.settings.pipeline, 'changes')
  for (const page of changePages(stack, flights))
    await producer.send(topic, page, AbortSignal.timeout(PRODUCE_DEADLINE_MS))
}

/** The group is forgotten at the end, so that the next round begins at the beginning too. */
async function scoreAll(
  { settings, store }: Stack,
  parts: { connection: KafkaConnection; producer: Producer; telemetry: Telemetry },
): Promise<Sample> {
  const { connection, telemetry } = parts
  const { pipeline } = settings
  const deadLetters = new DeadLetters({ pipeline, ...parts, clock: systemClock })
  const deps: InferWorkerDeps = { ...parts, deadLetters, store, clock: systemClock }
  const done = new AbortController()
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(ROUND_DEADLINE_MS)])
  let spent = stopwatch()
  let cost: Cost | undefined
  let rows = 0
  const report = reportTo({
    usesModel: () => {
      spent = stopwatch()
    },
    progressed: (_, units) => {
      rows += units
      if (rows < CHANGES) return
      cost ??= spent()
      done.abort()
    },
  })
  await runInfer({ settings, instance: 'bench', telemetry, signal, report }, deps)
  await withAdmin(
    connection,
    { doing: 'forgetting the group', signal: AbortSignal.timeout(20_000) },
    (admin) => admin.deleteGroups([groupName(pipeline, 'infer')]),
  )
  if (cost === undefined) throw new Error(`${rows} of ${CHANGES} rows in ${ROUND_DEADLINE_MS} ms`)
  return sampleOf(cost, rows)
}

function openBareSession(bundle: ModelBundle): Promise<InferenceSession> {
  return InferenceSession.create(bundle.onnx, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
  })
}

function matrixOf(bundle: ModelBundle, flights: readonly Flight[]): Float32Array {
  const writer = compileColumns(bundle.spec.inputs.columns)
  const features = writer.allocate(flights.length)
  for (const [row, { document }] of flights.entries()) {
    const problem = writer.write(document, features, row)
    if (problem !== null) throw new Error(`a flight cannot be scored: ${problem.message}`)
  }
  return features.numbers as Float32Array
}

async function runBare(
  bundle: ModelBundle,
  session: InferenceSession,
  matrix: Float32Array,
): Promise<Sample> {
  const { tensor, columns } = bundle.spec.inputs
  const fetches = bundle.spec.outputs.map((output) => output.tensor)
  const cost = await costOf(async () => {
    for (let from = 0; from < CHANGES; from += RUN_ROWS) {
      const rows = Math.min(RUN_ROWS, CHANGES - from)
      const values = matrix.subarray(from * columns.length, (from + rows) * columns.length)
      await session.run({ [tensor!]: new Tensor('float32', values, [rows, columns.length]) }, fetches)
    }
  })
  return sampleOf(cost, CHANGES)
}

function sampleOf({ cpuMicros }: Cost, rows: number): Sample {
  return { value: (rows / cpuMicros) * 1e6, cpuMicrosPerRow: cpuMicros / rows }
}
