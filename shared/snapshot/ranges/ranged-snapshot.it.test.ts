import { randomUUID } from 'node:crypto'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { ensureBucket } from '@freshet/adapters/s3/s3-bucket.ts'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { expect, test } from 'vitest'
import { manifestWith, partitionWith, putSnapshotFile } from '../bucket.kit.ts'
import { manyRows } from '../rows.kit.ts'
import { counted } from './counted-store.kit.ts'
import { RangeReads } from './range-reads.ts'
import { RangedSnapshot } from './ranged-snapshot.ts'

const ROWS = 60_000
const keyAt = (i: number) => `flights/${`${i}`.padStart(6, '0')}`

test('on a real S3 server a lookup in a base and two deltas takes two round trips, and every page of them is right', async () => {
  const settings = loadSettings({ env: process.env }).s3
  await ensureBucket(settings)
  await using s3 = openS3({ ...settings, prefix: `test-${randomUUID()}` })
  const { store, asked } = counted(s3)
  using reads = new RangeReads(store)
  const parts = {
    store,
    reads,
    memoryBytes: 0,
    hasVersions: false,
    partitions: 1,
    partitionOf,
    log: quietLog,
  }
  const snapshot = new RangedSnapshot(parts)
  const base = await putSnapshotFile(store, '0/base', manyRows(0, ROWS))
  const deltas = [
    await putSnapshotFile(store, '0/d1', manyRows(10_000, 6_000)),
    await putSnapshotFile(store, '0/d2', manyRows(ROWS, 5_000)),
  ]
  await snapshot.take(manifestWith({ 0: partitionWith({ base, deltas }) }), AbortSignal.timeout(20_000))
  let mostRequests = 0
  for (let i = 0; i < ROWS + 5_000; i += 1_999) {
    asked.forget()
    expect((await snapshot.find(keyAt(i)))?.outputs).toEqual({ delay: i })
    expect(asked.roundTrips).toBeLessThanOrEqual(2)
    mostRequests = Math.max(mostRequests, asked.keys.length)
  }
  // Keys of three files, and the other columns of two.
  expect(mostRequests).toBeLessThanOrEqual(3 + 2 * 9)
  asked.forget()
  expect(await snapshot.find('flights/nobody')).toBeUndefined()
  expect(asked.roundTrips).toBeLessThanOrEqual(1)
})
