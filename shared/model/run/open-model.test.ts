import { readFile } from 'node:fs/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { demoBundle, fixtureBundle } from '../bundle/bundles.kit.ts'
import type { Features } from '../features/features.ts'
import { probeRows } from '../trees/probe-rows.ts'
import type { ModelSession, RunnableModel } from './model-session.ts'
import { openSession } from './onnx-session.ts'
import { microsWhereBetter, openModel } from './open-model.ts'
import { type TreeModel, TreeSession } from './tree-session.ts'

const ROWS = 4_096

async function regression(file: string): Promise<RunnableModel> {
  const columns = ['dep_delay', 'distance'].map((name) => ({
    ...{ name, path: `/${name}`, type: 'number' as const, default: 0 },
  }))
  return {
    onnx: await readFile(new URL(`../import/fixtures/${file}.onnx`, import.meta.url)),
    spec: {
      inputs: { tensor: 'input', columns },
      outputs: [{ name: 'minutes', tensor: 'variable' }],
    },
  }
}

describe.each<[string, () => Promise<RunnableModel>]>([
  ['LightGBM', demoBundle],
  ['a small LightGBM', () => regression('lightgbm-regression')],
  ['XGBoost', () => regression('xgboost-regression')],
])('trees of %s', (_, load) => {
  test('score as ONNX Runtime does, bit for bit, without it', async () => {
    const model = await load()
    const { session, trees } = await openModel(model)
    if (trees === null) throw new Error('not in tables')
    await using onnx = await openSession(model)
    const features = probesOf(trees)
    const { columns } = await session.score(features, ROWS)
    expect(columns).toEqual((await onnx.score(features, 128)).columns)
    expect(new Set(columns[0]).size).toBeGreaterThan(3)
  })
})

/** By another seed than the one that a model is tried with when it is loaded. */
function probesOf({ tables, width }: TreeModel): Features {
  return { rows: ROWS, numbers: probeRows(tables, { rows: ROWS, width, random: Math.random }), texts: [] }
}

test('another model stays with ONNX Runtime', async () => {
  const { session, trees } = await openModel(
    await fixtureBundle('two-outputs.onnx', [{ name: 'ten', tensor: 'scores', column: 1 }]),
  )
  await using _ = session
  expect(trees).toBeNull()
})

describe('tables are better', () => {
  test('where they give the same bits in less time', async () => {
    const { right, wrong, features, taking } = await givenTables()
    const micros = await microsWhereBetter(taking(2, right), taking(3, right), features)
    expect(micros).toBeCloseTo(2_000 / ROWS)
    expect(await microsWhereBetter(taking(3, right), taking(2, right), features)).toBeNull()
    expect(await microsWhereBetter(taking(2, wrong), taking(3, right), features)).toBeNull()
  })

  test('also where others take the core for a while', async () => {
    const { right, features, taking } = await givenTables()
    let time = 0
    const disturbed = taking(() => (time++ < 10 ? 5 : 1), right)
    expect(await microsWhereBetter(disturbed, taking(2, right), features)).toBeCloseTo(1_000 / ROWS)
  })
})

async function givenTables() {
  const { trees } = await openModel(await demoBundle())
  const leaves = trees!.tables.leaves.slice()
  leaves[0]! += 2 ** -10
  let nowMs = 0
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
  onTestFinished(() => void vi.restoreAllMocks())
  return {
    right: new TreeSession(trees!),
    wrong: new TreeSession({ ...trees!, tables: { ...trees!.tables, leaves } }),
    features: probesOf(trees!),
    /** A session that scores in so many milliseconds of a clock that nothing else moves. */
    taking: (ms: number | (() => number), session: TreeSession): Pick<ModelSession, 'score'> => ({
      async score(rows) {
        nowMs += typeof ms === 'number' ? ms : ms()
        return session.scoreNow(rows)
      },
    }),
  }
}

test('tables that cannot be made are told, and ONNX Runtime scores', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockReturnValue()
  vi.spyOn(performance, 'now').mockImplementationOnce(() => {
    throw new Error('no clock')
  })
  onTestFinished(() => void vi.restoreAllMocks())
  const { session, trees } = await openModel(await demoBundle())
  await using _ = session
  expect(trees).toBeNull()
  expect(warned).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('no clock'))
})
