import { availableParallelism } from 'node:os'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ModelBundle } from '../bundle/bundle.ts'
import { demoBundle, fixtureBundle } from '../bundle/bundles.kit.ts'
import { compileColumns } from '../features/columns.ts'
import { type Features, sliceFeatures } from '../features/features.ts'
import { type Calibration, MAX_RUN_ROWS, RUN_ROWS } from './calibrate.ts'
import { goldenFeatures } from './golden-features.ts'
import { InferencePool, type PoolOptions } from './inference-pool.ts'
import { type ModelThread, startInferenceThread } from './inference-thread.ts'
import type { ModelScores } from './model-session.ts'
import { openSession } from './onnx-session.ts'
import { scoreDocuments } from './score-documents.ts'

const never = new AbortController().signal
const scores: ModelBundle['spec']['outputs'] = [
  { name: 'ten', tensor: 'scores', column: 1 },
  { name: 'label', tensor: 'label', column: 0 },
]

describe('scores do not depend on how rows are spread', () => {
  test('any number of rows and threads gives the scores of the plain reference', async () => {
    const bundle = await demoBundle()
    const documents = bundle.golden.map(({ document }) => Buffer.from(JSON.stringify(document)))
    const plain = await scoreDocuments(bundle, documents)
    const expected = plain.map((score) =>
      score.state === 'scored' ? score.outputs.arrival_delay_minutes! : Number.NaN,
    )
    const writer = compileColumns(bundle.spec.inputs.columns)
    const features = writer.allocate(documents.length)
    for (const [row, document] of documents.entries()) writer.write(document, features, row)
    await using one = await InferencePool.start(bundle, { threads: 1, runRows: 7 })
    await using three = await InferencePool.start(bundle, { threads: 3, runRows: 16 })
    const rows = fc.integer({ min: 0, max: documents.length })
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom(one, three), async (count, pool) => {
        const [column] = await pool.run(sliceFeatures(features, 0, count), never)
        expect([...column!]).toEqual(expected.slice(0, count))
      }),
      { numRuns: 40 },
    )
  })

  test('each output of a model comes from its own tensor and column', async () => {
    await using pool = await InferencePool.start(await fixtureBundle('two-outputs.onnx', scores), {
      threads: 2,
      runRows: 1,
    })
    const columns = await pool.run(featuresOf(2, 1, 2, -1, -1, 3, 0), never)
    expect(columns.map((column) => [...column])).toEqual([
      [50, -30, 30],
      [2, 0, 2],
    ])
  })

  test('a thread takes many rows after few, and few after many', async () => {
    await using pool = await InferencePool.start(await fixtureBundle('two-outputs.onnx', scores), {
      threads: 1,
      runRows: 1_000,
    })
    for (const rows of [1, 20_000, 2, 50_000, 3]) {
      const features = zeros(rows)
      features.numbers[2 * rows - 2] = rows
      const [column] = await pool.run(features, never)
      expect([column!.length, column![0], column!.at(-1)]).toEqual([rows, rows === 1 ? 10 : 0, 10 * rows])
    }
  })
})

describe('a model that does not fit its spec is refused at the start', () => {
  test.each<[string, string, ModelBundle['spec']['outputs'], RegExp]>([
    [
      'an output it does not have',
      'two-outputs.onnx',
      [{ name: 's', tensor: 'nope', column: 0 }],
      /no output nope/,
    ],
    [
      'a column beyond the output',
      'two-outputs.onnx',
      [{ name: 's', tensor: 'scores', column: 3 }],
      /no score in column 3/,
    ],
    ['text as a score', 'text-output.onnx', [{ name: 's', tensor: 'text', column: 0 }], /text: string/],
    [
      'rows fixed at one',
      'fixed-rows.onnx',
      [{ name: 's', tensor: 'scores', column: 0 }],
      /float32 \[1, 2\]/,
    ],
  ])('%s', async (_, file, outputs, message) => {
    const starting = InferencePool.start(await fixtureBundle(file, outputs), { threads: 1, runRows: 8 })
    await expect(starting).rejects.toMatchObject({ code: 'MODEL_INVALID' })
    await expect(starting).rejects.toThrow(message)
  })

  test('another number of columns', async () => {
    const { onnx, spec } = await fixtureBundle('two-outputs.onnx', scores)
    const columns = spec.inputs.columns.slice(0, 1)
    const starting = InferencePool.start(
      { onnx, spec: { ...spec, inputs: { ...spec.inputs, columns } } },
      { threads: 1, runRows: 8 },
    )
    await expect(starting).rejects.toThrow('the model wants 2 columns, its spec has 1')
  })
})

test('rows in one call are found by trying, or are those that were told', async () => {
  const features = featuresOf(1, 1)
  const { pool: told } = await stubbed({ threads: 1 })
  expect(await told.calibrate(features, never)).toBeNull()
  expect(told.runRows).toBe(8)
  const { pool: found } = await stubbed({ threads: 1, runRows: 'auto' })
  expect(await found.calibrate(features, never)).toEqual({ runRows: 512, microsPerRow: 1 })
  expect(found.runRows).toBe(512)
})

test('a real model is calibrated in its thread', async () => {
  const bundle = await fixtureBundle('two-outputs.onnx', scores)
  await using pool = await InferencePool.start(bundle, { threads: 1, runRows: 'auto' })
  const found = await pool.calibrate(zeros(MAX_RUN_ROWS), never)
  expect(RUN_ROWS).toContain(found?.runRows)
  expect(found?.microsPerRow).toBeGreaterThan(0)
})

test('unless it is told how many, a pool has a thread for each core', async () => {
  const { pool, threads } = await stubbed({ threads: 'auto' })
  expect([threads.length, pool.threads]).toEqual([availableParallelism(), availableParallelism()])
})

test('trees out of tables have one thread and no spare, however many are asked for', async () => {
  const bundle = await demoBundle()
  let spawned = 0
  const spawn = () => {
    spawned++
    return startInferenceThread(bundle)
  }
  await using pool = await InferencePool.over(spawn, { threads: 3, spares: 1, runRows: 64 })
  await pool.run(goldenFeatures(bundle, 1_000), never)
  expect([spawned, pool.threads, pool.engine]).toEqual([1, 1, 'leaf-tables'])
})

test('trees out of tables are not calibrated: how many rows go into a call makes no difference', async () => {
  const bundle = await demoBundle()
  await using pool = await InferencePool.start(bundle, { threads: 1, runRows: 'auto' })
  expect(await pool.calibrate(goldenFeatures(bundle, MAX_RUN_ROWS), never)).toBeNull()
})

test('a few rows of trees are scored at once, without a thread; more of them by one; both as ONNX Runtime does', async () => {
  const bundle = await demoBundle()
  const features = goldenFeatures(bundle, 1_000)
  await using onnx = await openSession(bundle)
  const { columns: expected } = await onnx.score(features, 100)
  const pool = await InferencePool.start(bundle, { threads: 1, runRows: 64 })
  const few = sliceFeatures(features, 0, 8)
  expect(pool.runNow(few)).toEqual([expected[0]!.subarray(0, 8)])
  expect(await pool.run(few, never)).toEqual([expected[0]!.subarray(0, 8)])
  expect(pool.runNow(features)).toBeNull()
  expect(await pool.run(features, never)).toEqual(expected)
  await pool[Symbol.asyncDispose]()
  expect(pool.runNow(few)).toBeNull()
  await using other = await InferencePool.start(await fixtureBundle('two-outputs.onnx', scores), {
    ...{ threads: 1, runRows: 64 },
  })
  expect(other.runNow(featuresOf(2, 1, 2))).toBeNull()
})

test('whoever can spare the time has more rows of trees scored at once', async () => {
  const bundle = await demoBundle()
  const features = goldenFeatures(bundle, 1_000)
  await using patient = await InferencePool.start(bundle, {
    ...{ threads: 1, runRows: 64, hereMicros: 1_000_000 },
  })
  expect(patient.runNow(features)).toEqual(await patient.run(features, never))
})

test('a model that hangs while it is loaded is refused in bounded time', async () => {
  const program = new URL('data:text/javascript,Atomics.wait(new Int32Array(new SharedArrayBuffer(4)),0,0)')
  const starting = startInferenceThread(await demoBundle(), { loadDeadlineMs: 50, program })
  await expect(starting).rejects.toMatchObject({ code: 'MODEL_INVALID' })
  await expect(starting).rejects.toThrow('has not loaded the model within 50 ms')
})

test('scores that stand for NaN are counted, over all threads', async () => {
  const outputs = [{ name: 'ln', tensor: 'scores', whenNotFinite: 0 }]
  const replaced: number[] = []
  await using pool = await InferencePool.start(await fixtureBundle('logarithm.onnx', outputs), {
    threads: 2,
    runRows: 1,
    onReplaced: (scores) => replaced.push(scores),
  })
  const [column] = await pool.run(featuresOf(2, 1, 1, -1, 1, -1, 1), never)
  expect([...column!]).toEqual([0, 0, 0])
  await pool.run(featuresOf(2, 1, 1), never)
  expect(replaced).toEqual([2])
})

test('a thread that dies is replaced; its job fails as one that a retry helps', async () => {
  const bundle = await fixtureBundle('two-outputs.onnx', scores)
  const source = `import { parentPort } from 'node:worker_threads'
    parentPort.postMessage({ kind: 'ready', trees: null })
    parentPort.on('message', () => process.exit(1))`
  const dies = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
  const threads: ModelThread[] = []
  const spawn = async () => {
    const thread = await startInferenceThread(bundle, threads.length === 0 ? { program: dies } : {})
    threads.push(thread)
    return thread
  }
  await using pool = await InferencePool.over(spawn, { threads: 1, runRows: 8 })
  const running = pool.run(zeros(1), never)
  await expect(running).rejects.toMatchObject({ code: 'MODEL_RUN_FAILED', retryable: true })
  expect([...(await pool.run(featuresOf(2, 1, 2), never))[0]!]).toEqual([50])
  expect(threads.length).toBe(2)
})

test('a spare takes the place of a thread that died at once, and another spare is started', async () => {
  const { pool, threads } = await stubbed({ threads: 1, spares: 1 })
  await expect.poll(() => threads.length).toBe(2)
  const [first, spare] = threads
  const lost = pool.run(featuresOf(1, 1), never)
  const next = pool.run(featuresOf(1, 2), never)
  first!.die()
  await expect(lost).rejects.toThrow('died')
  spare!.release()
  expect((await next)[0]![0]).toBe(2)
  expect(spare!.seen).toEqual([2])
  await expect.poll(() => threads.length).toBe(3)
})

test('what a job would wait is known: nothing when a thread is idle, else by what jobs take and how long one runs', async () => {
  const { pool, threads } = await stubbed({ threads: 1 })
  expect(pool.expectedWaitMs()).toBe(0)
  const running = pool.run(featuresOf(1, 1), never)
  expect(pool.expectedWaitMs(performance.now() + 5_000)).toBeGreaterThanOrEqual(5_000)
  threads[0]!.release()
  await running
  expect(pool.expectedWaitMs()).toBe(0)
})

describe('a model that hangs', () => {
  test('costs its job and its thread, not the jobs behind it', async () => {
    const { pool, threads } = await stubbed({ threads: 1, jobDeadlineMs: 20 })
    const hanging = pool.run(featuresOf(1, 1), never)
    const behind = pool.run(featuresOf(1, 2), never)
    await expect(hanging).rejects.toMatchObject({ code: 'MODEL_RUN_FAILED', retryable: true })
    await expect.poll(() => threads.length).toBe(2)
    threads[1]!.release()
    expect((await behind)[0]![0]).toBe(2)
  })

  test('does not take more than twice the threads, and says so to who would wait', async () => {
    const { pool, threads } = await stubbed({ threads: 1, jobDeadlineMs: 20 })
    const jobs = [1, 2, 3].map((value) => pool.run(featuresOf(1, value), never))
    const failed = expect.objectContaining({ reason: expect.objectContaining({ code: 'MODEL_RUN_FAILED' }) })
    expect(await Promise.allSettled(jobs)).toEqual([failed, failed, failed])
    await expect(pool.run(featuresOf(1, 4), never)).rejects.toThrow('hangs in 2 threads')
    expect(threads.map(({ seen }) => seen)).toEqual([[1], [2]])
    threads[0]!.end() // its native code has returned after all
    await threads[0]!.ended
    const next = pool.run(featuresOf(1, 5), never)
    await expect.poll(() => threads.length).toBe(3)
    threads[2]!.release()
    expect((await next)[0]![0]).toBe(5)
  })
})

test('a model that is slow costs its job, and its thread ends when the model is done; the process lives', async () => {
  const bundle = await fixtureBundle('as-slow-as-told.onnx', [{ name: 'score', tensor: 'score', column: 0 }])
  const threads: ModelThread[] = []
  const spawn = async () => {
    const thread = await startInferenceThread(bundle)
    threads.push(thread)
    return thread
  }
  await using pool = await InferencePool.over(spawn, {
    threads: 1,
    spares: 1,
    runRows: 8,
    jobDeadlineMs: 1_000, // a quick one takes so long nowhere, also where others take the core
  })
  const slow = pool.run(featuresOf(2, 3, 1_500_000), never)
  await expect(slow).rejects.toMatchObject({ code: 'MODEL_RUN_FAILED' })
  await threads[0]!.ended // terminated under ONNX Runtime, it would take this process along
  expect((await pool.run(featuresOf(2, 4, 1), never))[0]![0]).toBe(40)
})

describe('waiting for a thread has bounds', () => {
  test('one job more than may wait is refused at once; the others are served in turn', async () => {
    const { pool, threads } = await stubbed({ threads: 1, maxQueued: 2 })
    const jobs = [1, 2, 3].map((value) => pool.run(featuresOf(1, value), never))
    await expect(pool.run(featuresOf(1, 4), never)).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    threads[0]!.release()
    expect((await Promise.all(jobs)).map(([column]) => column![0])).toEqual([1, 2, 3])
  })

  test('an aborted job rejects at once, running or waiting, and leaves its place', async () => {
    const { pool, threads } = await stubbed({ threads: 1, maxQueued: 1 })
    const abort = new AbortController()
    const running = pool.run(featuresOf(1, 1), abort.signal)
    const waiting = pool.run(featuresOf(1, 2), abort.signal)
    abort.abort()
    await expect(running).rejects.toMatchObject({ code: 'DEADLINE' })
    await expect(waiting).rejects.toMatchObject({ code: 'DEADLINE' })
    const next = pool.run(featuresOf(1, 3), never)
    threads[0]!.release()
    expect((await next)[0]![0]).toBe(3)
    expect(threads[0]!.seen).toEqual([1, 3])
  })

  test('a job whose time is over already is not begun', async () => {
    const { pool, threads } = await stubbed({ threads: 1 })
    await expect(pool.run(featuresOf(1, 1), AbortSignal.abort())).rejects.toMatchObject({
      code: 'DEADLINE',
    })
    expect(threads[0]!.seen).toEqual([])
  })

  test('nobody waits for a thread that does not come up again; the next job tries anew', async () => {
    const { pool, threads, failures } = await stubbed({ threads: 1 })
    failures.push(new Error('no memory'))
    const waiting = [pool.run(featuresOf(1, 1), never), pool.run(featuresOf(1, 2), never)]
    threads[0]!.die()
    for (const job of waiting) await expect(job).rejects.toThrow()
    const next = pool.run(featuresOf(1, 3), never)
    await expect.poll(() => threads.length).toBe(2)
    threads[1]!.release()
    expect((await next)[0]![0]).toBe(3)
  })

  test('a closed pool refuses what waits and what comes', async () => {
    const { pool, threads } = await stubbed({ threads: 1 })
    const running = pool.run(featuresOf(1, 1), never)
    const waiting = pool.run(featuresOf(1, 2), never)
    const closing = pool[Symbol.asyncDispose]()
    await expect(waiting).rejects.toMatchObject({ code: 'MODEL_RUN_FAILED' })
    threads[0]!.release()
    expect((await running)[0]![0]).toBe(1)
    await closing
    await expect(pool.run(featuresOf(1, 3), never)).rejects.toMatchObject({ code: 'MODEL_RUN_FAILED' })
  })
})

/** Rows of `width` numbers. */
function featuresOf(width: number, ...values: readonly number[]): Features {
  return { rows: values.length / width, numbers: Float32Array.from(values), texts: [] }
}

/** Rows of two numbers. */
function zeros(rows: number): Features {
  return { rows, numbers: new Float32Array(2 * rows), texts: [] }
}

/** A pool over threads that answer the first float of each job, from the moment they are released. */
async function stubbed(options: Partial<PoolOptions> & Pick<PoolOptions, 'threads'>) {
  const threads: StubThread[] = []
  const failures: Error[] = []
  const spawn = async () => {
    const failure = failures.shift()
    if (failure) throw failure
    const thread = new StubThread()
    threads.push(thread)
    return thread
  }
  const pool = await InferencePool.over(spawn, { runRows: 8, ...options })
  onTestFinished(async () => {
    for (const thread of threads) thread.release()
    await pool[Symbol.asyncDispose]()
  })
  return { pool, threads, failures }
}

class StubThread implements ModelThread {
  readonly seen: number[] = []
  readonly #gate = Promise.withResolvers<void>()
  readonly #end = Promise.withResolvers<void>()
  readonly ended = this.#end.promise

  async run({ numbers: [first] }: Features): Promise<ModelScores> {
    this.seen.push(first!)
    await this.#gate.promise
    return { columns: [Float64Array.of(first!)], replaced: 0 }
  }

  takeTrees(): null {
    return null
  }

  calibrate(): Promise<Calibration> {
    return Promise.resolve({ runRows: 512, microsPerRow: 1 })
  }

  release(): void {
    this.#gate.resolve()
  }

  die(): void {
    this.end()
    this.#gate.reject(new Error('died'))
  }

  end(): void {
    this.#end.resolve()
  }

  retire(): void {
    void this.#gate.promise.finally(() => this.end()).catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gate.promise
    this.#end.resolve()
  }
}
