import { endOf, forEver, SnapshotWorld } from '@freshet/scorer/snapshot/snapshot-world.kit.ts'
import { objectKey, readManifest } from '@freshet/snapshot/manifest.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import { expect, test } from 'vitest'
import { checkFiles } from './check-files.ts'
import { dropFiles } from './drop-files.ts'

const PIPELINE = 'flights'
/** A base of the first two, and a delta. */
const LOG = [manyRows(0, 100), manyRows(50, 100), manyRows(150, 3)]

test('a whole snapshot has nothing to tell', async () => {
  const world = new SnapshotWorld(LOG)
  await world.work()
  expect(await check(world)).toEqual([])
})

test('a missing file, a damaged one and one of other rows are each named', async () => {
  const world = new SnapshotWorld(LOG)
  await world.work()
  const { base, deltas } = await partitionOf(world)
  const whole = (await world.store.get(objectKey(base!.object))).body
  whole[100]! ^= 1
  await world.store.put(objectKey(base!.object), whole)
  await world.store.delete(objectKey(deltas[0]!.object))
  expect(await check(world)).toMatchObject([
    { partition: 0, object: base!.object, rows: 150, code: 'SNAPSHOT_CORRUPT' },
    { partition: 0, object: deltas[0]!.object, rows: 3, code: 'SNAPSHOT_FILE_MISSING' },
  ])
})

test('what is dropped is out of the manifest, the rest stays, and the worker goes on from there', async () => {
  const world = new SnapshotWorld(LOG)
  const worker = await world.begin()
  await world.work()
  const { base } = await partitionOf(world)
  await world.store.delete(objectKey(base!.object))
  const bad = await check(world)
  await dropFiles(world.parts(), new Set(bad.map(({ object }) => object)), forEver)

  expect(await check(world)).toEqual([])
  expect(await partitionOf(world)).toMatchObject({ nextOffset: 3, base: null, deltas: [{ rows: 3 }] })
  await endOf(worker.merges.run({ write: forEver, commit: forEver }), ['MANIFEST_FENCED'])
  await world.work()
  expect(await check(world)).toEqual([])
})

test('nothing is committed when there is nothing to drop', async () => {
  const world = new SnapshotWorld(LOG)
  await world.work()
  const before = await readManifest(world.store, PIPELINE)
  await dropFiles(world.parts(), new Set(['0/base-0-9-ff.parquet']), forEver)
  expect(await readManifest(world.store, PIPELINE)).toEqual(before)
})

async function check(world: SnapshotWorld) {
  return checkFiles(world.store, (await readManifest(world.store, PIPELINE))!.manifest, () => {}, forEver)
}

async function partitionOf(world: SnapshotWorld) {
  return (await readManifest(world.store, PIPELINE))!.manifest.partitions[0]!
}
