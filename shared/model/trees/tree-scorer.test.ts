import { readFileSync } from 'node:fs'
import { seeded } from '@freshet/stage/seeded.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import wabt from 'wabt'
import { leafTablesOf } from './leaf-tables.ts'
import { probeRows } from './probe-rows.ts'
import { leavesOf, type TreeEnsemble, type TreeNode } from './tree-ensemble.ts'
import { TreeScorer } from './tree-scorer.ts'
import { walkTrees } from './walk-trees.kit.ts'

const WIDTH = 5
const NO_LIMIT = Number.MAX_SAFE_INTEGER

/** Few of them, so that trees meet at the same ones. */
const threshold = fc
  .constantFrom(0, -0, 1, -1, 0.5, 1.4e-45, -1.4e-45, 3.4e38, Number.POSITIVE_INFINITY)
  .map(Math.fround)
const float = fc.float({ noNaN: true, noDefaultInfinity: true })

const tree: fc.Arbitrary<TreeNode> = fc.letrec<{ node: TreeNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 9, depthSize: 'max', withCrossShrink: true },
    fc.record({ kind: fc.constant('leaf' as const), value: float }),
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('split' as const),
        column: fc.nat(WIDTH - 1),
        threshold: fc.oneof(threshold, float),
        missingGoesTrue: fc.boolean(),
        whenTrue: tie('node'),
        whenFalse: tie('node'),
      }),
    },
  ),
})).node

const ensemble: fc.Arbitrary<TreeEnsemble> = fc.record({
  outputs: fc.constant(new Set(['y'])),
  trees: fc.array(tree, { minLength: 1, maxLength: 20 }),
  base: float,
})

test('a score out of tables has the bits of one that walks through the trees, however many leaves they have', () => {
  const seen = { manyLeaves: 0 }
  fc.assert(
    fc.property(ensemble, fc.integer(), (model, seed) => {
      const tables = leafTablesOf(model, NO_LIMIT)
      if (tables === null) return void expect(model.trees.every(({ kind }) => kind === 'leaf')).toBe(true)
      if (model.trees.some((one) => leavesOf(one) > 64)) seen.manyLeaves++
      const rows = probeRows(tables, { rows: 40, width: WIDTH, random: seeded(seed) })
      const scores = new Float64Array(40)
      new TreeScorer(tables, WIDTH).score(rows, scores)
      const walked = scores.map((_, row) => walkTrees(model, rows.subarray(row * WIDTH, (row + 1) * WIDTH)))
      expect(scores).toEqual(walked)
    }),
    { numRuns: 300 },
  )
  expect(seen.manyLeaves).toBeGreaterThan(0)
})

test('more rows than its memory takes at once are scored block by block', () => {
  const model: TreeEnsemble = {
    outputs: new Set(['y']),
    base: 0.5,
    trees: [
      {
        ...{ kind: 'split', column: 1, threshold: 300, missingGoesTrue: false },
        whenTrue: { kind: 'leaf', value: 1 },
        whenFalse: { kind: 'leaf', value: 2 },
      },
    ],
  }
  const scorer = new TreeScorer(leafTablesOf(model, NO_LIMIT)!, 2)
  const scores = new Float64Array(1_000)
  const rows = Float32Array.from({ length: 2_000 }, (_, at) => Math.floor(at / 2))
  scorer.score(rows, scores)
  expect([...scores]).toEqual(Array.from({ length: 1_000 }, (_, row) => (row <= 300 ? 1.5 : 2.5)))
})

test('tables that would take more than they may are not made', () => {
  const [yes, no] = [{ kind: 'leaf', value: 1 } as const, { kind: 'leaf', value: 0 } as const]
  const split = { kind: 'split', column: 0, threshold: 1, missingGoesTrue: false } as const
  const model = { outputs: new Set(['y']), base: 0, trees: [{ ...split, whenTrue: yes, whenFalse: no }] }
  const bytes = (3 + 33) * 8 * 4 // up to the threshold, above it, NaN, and the leaves; eight masks each
  expect(leafTablesOf(model, bytes)).not.toBeNull()
  expect(leafTablesOf(model, bytes - 1)).toBeNull()
})

test('the program is what its text says: npm run wasm makes it', async () => {
  const read = (file: string) => readFileSync(new URL(file, import.meta.url))
  const module = (await wabt()).parseWat('score-trees.wat', `${read('score-trees.wat')}`)
  expect(Buffer.from(module.toBinary({}).buffer)).toEqual(read('score-trees.wasm'))
})
