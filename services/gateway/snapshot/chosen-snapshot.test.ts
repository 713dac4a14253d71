import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { manifestWith, partitionWith, putSnapshotFile } from '@freshet/snapshot/bucket.kit.ts'
import { RangeReads } from '@freshet/snapshot/ranges/range-reads.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { ChosenSnapshot } from './chosen-snapshot.ts'

const ROWS = 1_000
const signal = new AbortController().signal

test.each([
  ['one output fits', 1, false, 56, true],
  ['one output does not fit', 1, false, 55, false],
  ['three outputs do not fit where one would', 3, false, 56, false],
  ['three outputs fit', 3, false, 72, true],
  ['versions take room, too', 1, true, 56, false],
] as const)('of a snapshot in mode auto: %s', async (_, outputs, hasVersions, bytesForARow, fits) => {
  const store = new MemoryObjectStore()
  const base = await putSnapshotFile(store, '0/base', rowsWith(outputs))
  using reads = new RangeReads(store)
  const snapshot = new ChosenSnapshot('auto', {
    store,
    reads,
    memoryBytes: ROWS * bytesForARow,
    hasVersions,
    tombstoneTtlMs: 1,
    partitions: 1,
    partitionOf,
    log: quietLog,
  })
  await snapshot.take(manifestWith({ 0: partitionWith({ base }) }), signal)
  expect(snapshot.ranged === undefined).toBe(fits)
})

function rowsWith(outputs: number) {
  const { header, rows } = manyRows(0, ROWS)
  const names = Array.from({ length: outputs }, (_, i) => `output-${i}`)
  return {
    header: { ...header, outputs: names },
    rows: { ...rows, outputs: names.map(() => rows.outputs[0]!) },
  }
}
