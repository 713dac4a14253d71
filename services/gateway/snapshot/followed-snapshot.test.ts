import { Buffer } from 'node:buffer'
import { MemoryObjectStore } from '@freshet/adapters/memory/object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { MANIFEST_OBJECT, manifestRecord } from '@freshet/records/manifest.ts'
import { manifestWith, partitionWith, putSnapshotFile } from '@freshet/snapshot/bucket.kit.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { quietLog } from '@freshet/stage/quiet-log.ts'
import { Metrics } from '@freshet/telemetry/metrics.ts'
import { expect, test } from 'vitest'
import { deadlineOf } from '../server/deadline.ts'
import { FollowedSnapshot } from './followed-snapshot.ts'

test('a damaged file keeps no other from being asked for in S3, and what nobody knows is not called unknown', async () => {
  const store = new MemoryObjectStore()
  const damaged = await putSnapshotFile(store, '0/damaged', manyRows(0, 10))
  await store.put(objectKey('0/damaged'), new Uint8Array(damaged.bytes))
  const base = await putSnapshotFile(store, '1/base', manyRows(10, 10))
  const manifest = manifestWith({ 0: partitionWith({ base: damaged }), 1: partitionWith({ base }) })
  await store.put(MANIFEST_OBJECT, Buffer.from(manifestRecord.encode(manifest)))

  const { promise: looked, resolve: onLook } = Promise.withResolvers<unknown>()
  const settings = loadSettings({ env: { FRESHET_PIPELINE: 'flights' } })
  using snapshot = new FollowedSnapshot(
    store,
    { ...settings, gateway: { ...settings.gateway, snapshot: { mode: 'ranges', memoryMiB: 0 } } },
    { clock: systemClock, log: quietLog, loop: { isBehind: () => false }, metrics: new Metrics(), onLook },
  )
  const stop = new AbortController()
  const running = snapshot.run(stop.signal)
  expect(await looked).toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
  const ask = (key: string) => snapshot.ask(key, deadlineOf(performance.now(), 10_000, null))
  expect(await ask('flights/000013')).toMatchObject({ kind: 'has', score: { outputs: { delay: 13 } } })
  expect(await ask('flights/000003')).toEqual({ kind: 'was not heard', reason: 'snapshot_loading' })
  stop.abort()
  await running
})
