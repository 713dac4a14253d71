import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { manifestWith, partitionWith, putSnapshotFile } from '@freshet/snapshot/bucket.kit.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import { type Asked, counted } from '@freshet/snapshot/ranges/counted-store.kit.ts'
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
  const { store, snapshot } = new World({ memoryBytes: ROWS * bytesForARow, hasVersions })
  const base = await putSnapshotFile(store, '0/base', rowsWith(outputs))
  await snapshot.take(manifestWith({ 0: partitionWith({ base }) }), signal)
  expect(snapshot.ranged === undefined).toBe(fits)
})

test('of a snapshot that is too large and has a damaged file, the other files speak', async () => {
  const world = new World()
  const damaged = await putSnapshotFile(world.store, '0/damaged', manyRows(0, ROWS))
  await world.store.put(objectKey('0/damaged'), new Uint8Array(damaged.bytes))
  const base = await putSnapshotFile(world.store, '1/base', manyRows(ROWS, ROWS))
  const manifest = manifestWith({ 0: partitionWith({ base: damaged }), 1: partitionWith({ base }) })
  await expect(world.snapshot.take(manifest, signal)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
  expect((await world.snapshot.ranged!.find(`flights/00${ROWS}`))?.outputs).toEqual({ delay: ROWS })
})

test('one that has grown too large leaves what memory holds until all of it is there, and is not begun anew', async () => {
  const world = new World({ memoryBytes: ROWS * 60 })
  const base = await putSnapshotFile(world.store, '0/base', manyRows(0, ROWS))
  await world.snapshot.take(manifestWith({ 0: partitionWith({ base }) }), signal)
  const more = await putSnapshotFile(world.store, '1/base', manyRows(ROWS, ROWS))
  const manifest = manifestWith({ 0: partitionWith({ base }), 1: partitionWith({ base: more }) })
  const bytes = await world.store.get(objectKey('1/base'))
  await world.store.delete(objectKey('1/base'))
  await expect(world.snapshot.take(manifest, signal)).rejects.toMatchObject({ code: 'SNAPSHOT_FILE_MISSING' })
  expect(world.snapshot.ranged).toBeUndefined()
  expect(world.snapshot.get('flights/000007')?.outputs).toEqual({ delay: 7 })
  await world.store.put(objectKey('1/base'), bytes.body)
  world.asked.forget()
  await world.snapshot.take(manifest, signal)
  expect((await world.snapshot.ranged!.find(`flights/00${ROWS}`))?.outputs).toEqual({ delay: ROWS })
  expect(world.asked.keys).not.toContain(objectKey('0/base'))
})

class World {
  readonly store: MemoryObjectStore
  readonly asked: Asked
  readonly snapshot: ChosenSnapshot

  constructor({ memoryBytes = 0, hasVersions = false } = {}) {
    const { store, asked } = counted(new MemoryObjectStore())
    this.store = store
    this.asked = asked
    this.snapshot = new ChosenSnapshot('auto', {
      store,
      reads: new RangeReads(store),
      memoryBytes,
      hasVersions,
      tombstoneTtlMs: 1,
      partitions: 1,
      partitionOf,
      log: quietLog,
    })
  }
}

function rowsWith(outputs: number) {
  const { header, rows } = manyRows(0, ROWS)
  const names = Array.from({ length: outputs }, (_, i) => `output-${i}`)
  return {
    header: { ...header, outputs: names },
    rows: { ...rows, outputs: names.map(() => rows.outputs[0]!) },
  }
}
