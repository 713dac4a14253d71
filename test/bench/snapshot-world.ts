import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { PART_BYTES } from '@freshet/scorer/snapshot/put-file.ts'
import type { SnapshotParts } from '@freshet/scorer/snapshot/snapshot-parts.ts'
import { systemClock } from '@freshet/stage/clock.ts'
import { openBenchTelemetry, reportTo } from './in-process.ts'

/** What the snapshot worker works with, on the S3 server that the environment names. */
export async function openSnapshotParts(env: NodeJS.ProcessEnv): Promise<SnapshotParts & AsyncDisposable> {
  await using opened = new AsyncDisposableStack()
  const settings = loadSettings({ env })
  const telemetry = opened.use(openBenchTelemetry(settings))
  const store = opened.use(openS3(settings.s3))
  const keep = opened.move()
  return {
    store,
    pipeline: settings.pipeline,
    instance: 'bench',
    clock: systemClock,
    log: telemetry.log,
    partBytes: PART_BYTES,
    settings: settings.snapshot,
    telemetry,
    report: reportTo({}),
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  }
}

/** Deletes all that a figure has put. */
export async function emptyStore(store: ObjectStore): Promise<void> {
  for (const { key } of await store.list('')) await store.delete(key)
}
