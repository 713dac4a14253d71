import type { Manifest, SnapshotFile } from '@freshet/records/manifest.ts'
import { ORPHAN_AGE_MS } from '@freshet/snapshot/retention.ts'
import { expect, test } from 'vitest'
import { orphansOf } from './orphans.ts'

const NOW_MS = 1_700_000_000_000
const OLD_MS = NOW_MS - ORPHAN_AGE_MS

const manifest: Manifest = {
  version: 1,
  pipeline: 'flights',
  sequence: 9,
  writtenAtMs: NOW_MS,
  writtenBy: { instance: 'scorer-1', attempt: 'a' },
  partitions: {
    0: {
      nextOffset: 200,
      base: file('0/base-0-99-aa.parquet'),
      deltas: [file('0/delta-100-199-bb.parquet')],
      retired: [
        { object: '0/delta-50-99-cc.parquet', into: '0/base-0-99-aa.parquet', atMs: OLD_MS + 1 },
        { object: '0/delta-0-49-dd.parquet', into: '0/base-0-99-aa.parquet', atMs: OLD_MS },
      ],
    },
  },
}

test('a file of an attempt that failed is collected after the hour, not before', () => {
  expect(orphans({ '0/delta-200-299-ee.parquet': OLD_MS })).toEqual(['snapshots/0/delta-200-299-ee.parquet'])
  expect(orphans({ '0/delta-200-299-ee.parquet': OLD_MS + 1 })).toEqual([])
})

test('what the manifest names is never collected, however old', () => {
  expect(orphans({ '0/base-0-99-aa.parquet': 0, '0/delta-100-199-bb.parquet': 0 })).toEqual([])
})

test('what was merged away is kept an hour for those who read an older manifest, then collected', () => {
  expect(orphans({ '0/delta-50-99-cc.parquet': 0 })).toEqual([])
  expect(orphans({ '0/delta-0-49-dd.parquet': 0 })).toEqual(['snapshots/0/delta-0-49-dd.parquet'])
})

test('what is not ours is not touched', () => {
  expect(orphans({ 'manifest.json': 0, 'notes.txt': 0, '0/report.parquet': 0 })).toEqual([])
})

/** @param modified last change by object, wall-clock milliseconds */
function orphans(modified: Record<string, number>): string[] {
  const listed = Object.entries(modified).map(([object, modifiedAtMs]) => ({
    key: `snapshots/${object}`,
    bytes: 1,
    modifiedAtMs,
  }))
  return orphansOf(manifest, listed, NOW_MS)
}

function file(object: string): SnapshotFile {
  return { object, rows: 1, bytes: 1, newestAsOfMs: 0 }
}
