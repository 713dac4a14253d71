import { setImmediate as turn } from 'node:timers/promises'
import { FreshetError } from '@freshet/errors/errors.ts'
import { describe, expect, test } from 'vitest'
import type { Features } from '../features/features.ts'
import { type RowRunner, SharedRuns } from './shared-runs.ts'

const rowsOf = (values: readonly number[]): Features => ({
  rows: values.length,
  numbers: Float32Array.from(values),
  texts: values.map((value) => `t${value}`),
})
const rowOf = (value: number) => rowsOf([value])
const never = new AbortController().signal

/** A model of one thread that answers ten times its row, when it is let go on. */
class Model {
  readonly runs: Features[] = []
  readonly #ends: (() => void)[] = []
  #broken: number | undefined

  constructor(broken?: number) {
    this.#broken = broken
  }

  expectedWaitMs(): number {
    return this.#ends.length === 0 ? 0 : 1
  }

  runNow: RowRunner['runNow'] = () => null

  async run(features: Features): Promise<Float64Array[]> {
    this.runs.push(features)
    await new Promise<void>((resolve) => this.#ends.push(resolve))
    if (features.numbers.some((value) => value === this.#broken))
      throw new FreshetError('MODEL_RUN_FAILED', 'this row breaks it')
    return [Float64Array.from(features.numbers, (value) => value * 10)]
  }

  /** Lets all that runs, and what follows, come to its end. */
  async goOn(): Promise<void> {
    for (let end = this.#ends.shift(); end !== undefined; end = this.#ends.shift()) {
      end()
      await turn()
    }
  }
}

test('what the pool scores at once waits for nobody', async () => {
  const model = new Model()
  const runs = new SharedRuns({ runRows: 64, maxWaiting: 1 }).over(model)
  const waiting = [runs.run(rowOf(1), never), runs.run(rowOf(2), never)]
  model.runNow = ({ numbers }: Features) => [Float64Array.from(numbers)]
  expect(await runs.run(rowOf(3), never)).toEqual([Float64Array.of(3)])
  await expect(runs.run(rowOf(4), AbortSignal.abort())).rejects.toMatchObject({ code: 'DEADLINE' })
  await model.goOn()
  await Promise.all(waiting)
})

describe('rows that come while the model works', () => {
  test('go together into the next run, and each gets its own score', async () => {
    const [model, runs] = [new Model(), new SharedRuns({ runRows: 64, maxWaiting: 256 })]
    const scores = [1, 2, 3, 4].map((value) => runs.over(model).run(rowOf(value), never))
    expect(model.runs.map(({ rows }) => rows)).toEqual([1])
    await model.goOn()
    expect(await Promise.all(scores)).toEqual([10, 20, 30, 40].map((score) => [Float64Array.of(score)]))
    expect(model.runs.map(({ rows }) => rows)).toEqual([1, 3])
    expect(model.runs[1]!.texts).toEqual(['t2', 't3', 't4'])
  })

  test('are of callers with several rows each, as many callers as fit, and one of more rows alone', async () => {
    const model = new Model()
    const runs = new SharedRuns({ runRows: 4, maxWaiting: 10 }).over(model)
    const batches = [[1], [2, 3], [4], [5, 6], [7, 8, 9, 10, 11], [12]]
    const scores = batches.map((values) => runs.run(rowsOf(values), never))
    await model.goOn()
    expect(model.runs.map(({ numbers }) => [...numbers])).toEqual([
      [1],
      [2, 3, 4],
      [5, 6],
      [7, 8, 9, 10, 11],
      [12],
    ])
    expect(await Promise.all(scores)).toEqual(
      batches.map((values) => [Float64Array.from(values, (value) => value * 10)]),
    )
  })

  test('are scored each alone when one of them breaks the model, and only that one fails', async () => {
    const [model, runs] = [new Model(3), new SharedRuns({ runRows: 64, maxWaiting: 256 })]
    const scores = [1, 2, 3, 4].map((value) => runs.over(model).run(rowOf(value), never))
    const settled = Promise.allSettled(scores)
    await model.goOn()
    expect((await settled).map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
  })

  test('are not scored when their callers have gone, who hear so at once', async () => {
    const [model, runs] = [new Model(), new SharedRuns({ runRows: 64, maxWaiting: 256 })]
    const leaving = new AbortController()
    const first = runs.over(model).run(rowOf(1), never)
    const gone = runs.over(model).run(rowOf(2), leaving.signal)
    leaving.abort()
    await expect(gone).rejects.toMatchObject({ code: 'DEADLINE' })
    await model.goOn()
    await first
    expect(model.runs).toHaveLength(1)
  })

  test('are refused when too many wait', async () => {
    const [model, runs] = [new Model(), new SharedRuns({ runRows: 64, maxWaiting: 256 })]
    const scores = Array.from({ length: 300 }, (_, value) => runs.over(model).run(rowOf(value), never))
    const settled = Promise.allSettled(scores)
    await model.goOn()
    const refused = (await settled).filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(300 - 1 - 256)
    expect(Math.max(...model.runs.map(({ rows }) => rows))).toBe(64)
  })

  test('leave their places to others when their callers go', async () => {
    const model = new Model()
    const runs = new SharedRuns({ runRows: 64, maxWaiting: 256 }).over(model)
    const leaving = new AbortController()
    const rows = Array.from({ length: 257 }, (_, value) => runs.run(rowOf(value), leaving.signal))
    const settled = Promise.allSettled(rows)
    leaving.abort()
    await settled
    const next = runs.run(rowOf(7), never)
    await model.goOn()
    expect(await next).toEqual([Float64Array.of(70)])
  })

  test('expect to wait for the runs of those who came before', async () => {
    const model = new Model()
    const runs = new SharedRuns({ runRows: 64, maxWaiting: 256 }).over(model)
    const waits: Record<number, number> = {}
    const rows: Promise<unknown>[] = []
    for (let row = 0; row <= 200; row++) {
      waits[row] = runs.expectedWaitMs()
      rows.push(runs.run(rowOf(row), never))
    }
    // Before the first row nothing runs; from the second one on, one row runs and the others wait.
    expect([0, 1, 64, 65, 128, 129, 193, 200].map((row) => waits[row])).toEqual([0, 1, 1, 2, 2, 3, 4, 4])
    await model.goOn()
    await Promise.all(rows)
    expect(model.runs.map(({ rows }) => rows)).toEqual([1, 64, 64, 64, 8])
  })
})
