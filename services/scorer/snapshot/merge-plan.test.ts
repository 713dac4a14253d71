import type { ManifestPartition, SnapshotFile } from '@freshet/records/manifest.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type MergePlan, planMerge } from './merge-plan.ts'

const SETTINGS = { mergeShare: 0.25, maxDeltas: 4 }

describe('a merge', () => {
  test('into the base is due when the deltas reach its share', () => {
    expect(planOf({ base: 100, deltas: [20, 4] })).toBeUndefined()
    expect(planOf({ base: 100, deltas: [20, 5] })).toEqual({ kind: 'base', rows: [100, 20, 5] })
  })

  test('of one delta is not worth a new base', () => {
    expect(planOf({ base: 100, deltas: [80] })).toBeUndefined()
  })

  test('of the first two deltas makes the first base', () => {
    expect(planOf({ base: null, deltas: [1] })).toBeUndefined()
    expect(planOf({ base: null, deltas: [1, 1] })).toEqual({ kind: 'base', rows: [1, 1] })
  })

  test('of many small deltas is one of the newer ones only, while the base is large', () => {
    expect(planOf({ base: 1_000, deltas: [100, 3, 2, 1] })).toEqual({ kind: 'delta', rows: [3, 2, 1] })
    expect(planOf({ base: 1_000, deltas: [5, 1, 3, 2] })).toEqual({ kind: 'delta', rows: [5, 1, 3, 2] })
  })

  test('of the deltas alone is what is left when the base cannot be read', () => {
    const found = partitionOf({ base: 10, deltas: [5, 5, 5, 5] })
    expect(rowsOf(planMerge(found, SETTINGS, false))).toEqual({ kind: 'delta', rows: [5, 5, 5, 5] })
  })
})

/**
 * A delta a second against a base of ten million: the files stay few, and a row is rewritten some log2 of the deltas that
 * fit into the share, whatever the sizes are. (Into the base each time would be thousands of times.)
 */
test('at any interval the files stay few and rows are seldom rewritten', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 50, maxLength: 400 }),
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom(0, 1_000, 10_000_000),
      (sizes, maxDeltas, baseRows) => {
        const settings = { mergeShare: 0.25, maxDeltas }
        let partition = partitionOf({ base: baseRows === 0 ? null : baseRows, deltas: [] })
        const written = { base: 0, delta: 0, new: 0 }
        for (const rows of sizes) {
          partition = { ...partition, deltas: [...partition.deltas, fileOf(rows)] }
          written.new += rows
          for (let plan = planMerge(partition, settings); plan; plan = planMerge(partition, settings)) {
            written[plan.kind] += sum(plan.files)
            partition = applied(partition, plan)
          }
          expect(partition.deltas.length).toBeLessThan(Math.max(2, maxDeltas))
        }
        // With room for fewer deltas than log2 of them, they are rewritten more often: then that was asked for.
        if (maxDeltas >= 10) expect(written.delta).toBeLessThan(written.new * (Math.log2(sizes.length) + 2))
        if (baseRows === 10_000_000 && maxDeltas > 1) expect(written.base).toBe(0)
      },
    ),
  )
})

function planOf(shape: { base: number | null; deltas: readonly number[] }) {
  return rowsOf(planMerge(partitionOf(shape), SETTINGS))
}

function rowsOf(plan: MergePlan | undefined) {
  return plan && { kind: plan.kind, rows: plan.files.map(({ rows }) => rows) }
}

function partitionOf({
  base,
  deltas,
}: {
  base: number | null
  deltas: readonly number[]
}): ManifestPartition {
  return { nextOffset: 1, base: base === null ? null : fileOf(base), deltas: deltas.map(fileOf), retired: [] }
}

function applied(partition: ManifestPartition, { kind, files }: MergePlan): ManifestPartition {
  const file = fileOf(sum(files))
  if (kind === 'base') return { ...partition, base: file, deltas: [] }
  expect(partition.deltas.slice(-files.length)).toEqual(files) // the newest, without a gap
  return { ...partition, deltas: [...partition.deltas.slice(0, -files.length), file] }
}

let names = 0

function fileOf(rows: number): SnapshotFile {
  return { object: `${names++}`, rows, bytes: rows, newestAsOfMs: 0 }
}

function sum(files: readonly SnapshotFile[]): number {
  return files.reduce((total, { rows }) => total + rows, 0)
}
