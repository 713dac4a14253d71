import { FreshetError } from '@freshet/errors/errors.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { LATEST_OBJECT, latestRecord } from '@freshet/records/latest-snapshot.ts'
import { objectKey, readManifest } from '@freshet/snapshot/manifest.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import { describe, expect, test } from 'vitest'
import { writeDeltas } from './flush.ts'
import { MeddledStore } from './meddled-store.kit.ts'
import { SnapshotMembership } from './snapshot-membership.ts'
import { forEver, lease, SnapshotWorld } from './snapshot-world.kit.ts'

test('a zombie that wakes up late writes nothing, and the snapshot stays the other worker’s', async () => {
  const world = new SnapshotWorld([manyRows(0, 10), manyRows(5, 10), manyRows(100, 3)])
  const zombie = await world.begin(world.parts(), 1)
  await world.work()
  const late = writeDeltas(zombie.own, zombie.take(), world.parts(), forEver)
  await expect(late).rejects.toMatchObject({ code: 'MANIFEST_FENCED' })
  expect(await world.expectWhole()).toBe(3)
})

test('while the store is away the same parts are put again until it is back', async () => {
  const world = new SnapshotWorld([manyRows(0, 500)])
  const membership = await world.begin()
  let calls = 0
  const flaky = new MeddledStore(world.store, async (work) => {
    if (calls++ % 5 < 2) throw new FreshetError('S3_UNREACHABLE', 'away')
    return work()
  })
  await writeDeltas(membership.own, membership.take(), world.parts(flaky), forEver)
  expect(await world.expectWhole()).toBe(1)
  expect((await world.store.list('snapshots/0/')).length).toBe(1)
})

test('an upload that was given up as too old is begun anew', async () => {
  const world = new SnapshotWorld([manyRows(0, 500)])
  const membership = await world.begin()
  let calls = 0
  const tidied = new MeddledStore(world.store, async (work) => {
    if (calls++ === 3) await world.store.abortUploads('', Number.POSITIVE_INFINITY)
    return work()
  })
  await writeDeltas(membership.own, membership.take(), world.parts(tidied), forEver)
  expect(await world.expectWhole()).toBe(1)
})

describe('the deltas of many partitions', () => {
  const partitions = Array.from({ length: 9 }, (_, i) => i)

  test('go to the store a few at a time, and are one commit', async () => {
    const world = new SnapshotWorld([])
    let underWay = 0
    let most = 0
    const watched = new MeddledStore(world.store, async (work) => {
      most = Math.max(most, ++underWay)
      await new Promise((resolve) => setImmediate(resolve))
      return work().finally(() => underWay--)
    })
    await writeAll(world, watched)
    expect(most).toBe(4)
    const { manifest } = (await readManifest(world.store, 'flights'))!
    expect([manifest.sequence, Object.keys(manifest.partitions)]).toEqual([1, partitions.map(String)])
  })

  test('are not committed when one of them fails, and the reason is told', async () => {
    const world = new SnapshotWorld([])
    let calls = 0
    const refusing = new MeddledStore(world.store, (work) =>
      ++calls === 6 ? Promise.reject(new FreshetError('S3_REFUSED', 'no room')) : work(),
    )
    await expect(writeAll(world, refusing)).rejects.toMatchObject({ code: 'S3_REFUSED' })
    expect(await readManifest(world.store, 'flights')).toBeUndefined()
    const before = calls
    await new Promise((resolve) => setImmediate(resolve))
    expect(calls).toBe(before)
  })

  async function writeAll(world: SnapshotWorld, store: ObjectStore): Promise<void> {
    const parts = world.parts(store)
    const membership = new SnapshotMembership(partitions, undefined, parts)
    for (const partition of partitions) membership.held.add(partition, 0, manyRows(0, 3), lease)
    await writeDeltas(membership.own, membership.take(), parts, forEver)
  }
})

test('a stop while the store is away ends the waiting', async () => {
  const world = new SnapshotWorld([manyRows(0, 1)])
  const membership = await world.begin()
  const parts = world.parts(away(world.store))
  const writing = writeDeltas(membership.own, membership.take(), parts, AbortSignal.timeout(30))
  await expect(writing).rejects.toMatchObject({ code: 'S3_UNREACHABLE' })
})

test('what people read is written too when the signal comes right after the commit', async () => {
  const world = new SnapshotWorld([manyRows(0, 1)])
  const stop = new AbortController()
  const stopping = new MeddledStore(world.store, async (work) => {
    const done = await work()
    if ((await readManifest(world.store, 'flights')) !== undefined) stop.abort()
    return done
  })
  const membership = await world.begin()
  await writeDeltas(membership.own, membership.take(), world.parts(stopping), stop.signal)
  expect(stop.signal.aborted).toBe(true)
  expect(latestRecord.decode((await world.store.get(LATEST_OBJECT)).body)).toMatchObject({ sequence: 1 })
})

test('a damaged base is left as it is: deltas are written and merged, and nothing that was stored is lost', async () => {
  const log = Array.from({ length: 6 }, (_, i) => manyRows(10 * i, 10))
  const world = new SnapshotWorld(log, { maxDeltas: 2 })
  const first = await world.begin(world.parts(), 1)
  await writeDeltas(first.own, first.take(), world.parts(), forEver)
  const second = await world.begin(world.parts(), 2)
  await writeDeltas(second.own, second.take(), world.parts(), forEver)
  await second.merges.run({ write: forEver, commit: forEver })
  const { base } = (await readManifest(world.store, 'flights'))!.manifest.partitions[0]!
  const whole = (await world.store.get(objectKey(base!.object))).body
  await world.store.put(objectKey(base!.object), whole.subarray(0, 100))

  await world.work()
  const partition = (await readManifest(world.store, 'flights'))!.manifest.partitions[0]!
  expect([partition.base, partition.nextOffset]).toEqual([base, 6])
  expect(partition.deltas.map(({ rows }) => rows)).toEqual([40])
  await world.store.put(objectKey(base!.object), whole) // from a copy of the bucket
  expect(await world.expectWhole()).toBe(6)
})

test('deltas go on while a merge is under way, and stay behind it', async () => {
  const log = [manyRows(0, 50), manyRows(25, 50), manyRows(60, 5)]
  const world = new SnapshotWorld(log)
  const parts = world.parts()
  const membership = await world.begin(parts, 0)
  const write = async (offset: number) => {
    membership.held.add(0, offset, log[offset]!, lease)
    await writeDeltas(membership.own, membership.take(), parts, forEver)
  }
  await write(0)
  await write(1)
  const merging = membership.merges.run({ write: forEver, commit: forEver })
  await write(2)
  await merging
  const { base, deltas } = (await readManifest(world.store, 'flights'))!.manifest.partitions[0]!
  expect([base?.rows, deltas.map(({ rows }) => rows)]).toEqual([75, [5]])
  expect(await world.expectWhole()).toBe(3)
})

function away(store: ObjectStore): ObjectStore {
  return new MeddledStore(store, () => Promise.reject(new FreshetError('S3_UNREACHABLE', 'away')))
}
