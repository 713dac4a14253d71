import type { Manifest } from '@freshet/records/manifest.ts'

/** What a follower keeps at the newest snapshot. */
export interface SnapshotHolder {
  /**
   * Brings in what the manifest names and is not there yet. A file that cannot be read does not keep the others back; what
   * was there stays. @returns rows read
   * @throws S3_UNREACHABLE at once; SNAPSHOT_FILE_MISSING, SNAPSHOT_CORRUPT, RECORD_VERSION after all other files
   */
  take(manifest: Manifest, signal: AbortSignal): Promise<number>
  /** Called after each look that went well: time for what is not urgent, below a millisecond. */
  tidy(nowMs: number): void
}
