/** Merges the snapshot that the environment names into one base, and tells its parent what that took. */
import { SnapshotMembership } from '@freshet/scorer/snapshot/snapshot-membership.ts'
import { readManifest } from '@freshet/snapshot/manifest.ts'
import { costOf } from './cost.ts'
import { peakMiBOf } from './peak-memory.ts'
import { openSnapshotParts } from './snapshot-world.ts'

export interface MergeReport {
  readonly peakMiB: number
  readonly seconds: number
  readonly cpuMicros: number
  /** Of the new base. */
  readonly rows: number
  readonly bytes: number
}

const DEADLINE_MS = 600_000

await using parts = await openSnapshotParts(process.env)
const before = (await readManifest(parts.store, parts.pipeline))!.manifest
const membership = new SnapshotMembership([0], before, {
  ...parts,
  settings: { ...parts.settings, mergeShare: 0.01 },
})
const signal = AbortSignal.timeout(DEADLINE_MS)
const { seconds, cpuMicros } = await costOf(() => membership.merges.run({ write: signal, commit: signal }))
const { base, deltas } = (await readManifest(parts.store, parts.pipeline))!.manifest.partitions[0]!
if (base === null || deltas.length > 0) throw new Error('nothing was merged')
const report: MergeReport = {
  peakMiB: peakMiBOf(process.pid),
  seconds,
  cpuMicros,
  rows: base.rows,
  bytes: base.bytes,
}
process.send!(report)
process.disconnect()
