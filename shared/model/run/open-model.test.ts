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

test('tables that give one other bit, or take longer, are not better', async () => {
  const { trees } = await openModel(await demoBundle())
  const { tables } = trees!
  const features = probesOf(trees!)
  const slowly = (session: TreeSession): Pick<ModelSession, 'score'> => ({
    async score(rows) {
      const endsAtMs = performance.now() + 200
      while (performance.now() < endsAtMs);
      return session.scoreNow(rows)
    },
  })
  const right = new TreeSession(trees!)
  expect(await microsWhereBetter(right, slowly(right), features)).toBeGreaterThan(0)
  expect(await microsWhereBetter(slowly(right), right, features)).toBeNull()
  const leaves = tables.leaves.slice()
  leaves[0]! += 2 ** -10
  const wrong = new TreeSession({ ...trees!, tables: { ...tables, leaves } })
  expect(await microsWhereBetter(wrong, slowly(right), features)).toBeNull()
})

test('a core that others take for a while decides nothing', async () => {
  const features = { rows: 1, numbers: new Float32Array(1), texts: [] }
  const spinning = (ms: () => number) => ({
    score: async () => {
      for (const end = performance.now() + ms(); performance.now() < end; );
      return { columns: [new Float64Array(1)] } as never
    },
  })
  let time = 0
  expect(
    await microsWhereBetter(
      spinning(() => (time++ < 10 ? 5 : 0)),
      spinning(() => 2),
      features,
    ),
  ).toBeLessThan(2_000)
  expect(
    await microsWhereBetter(
      spinning(() => 3),
      spinning(() => 2),
      features,
    ),
  ).toBeNull()
})

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
