import { Buffer } from 'node:buffer'
import {
  MANIFEST_OBJECT,
  type Manifest,
  manifestRecord,
  type SnapshotFile,
} from '@freshet/records/manifest.ts'
import { rowsOfBatch, type StoredRows } from '@freshet/records/stored-rows.ts'
import { putFile } from '@freshet/scorer/snapshot/put-file.ts'
import type { SnapshotParts } from '@freshet/scorer/snapshot/snapshot-parts.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import { writeMerged } from '@freshet/snapshot/write-merged.ts'
import { numbersFrom, scoresOf } from './snapshot-rows.ts'

const PAGE_ROWS = 4_096
const DEADLINE_MS = 900_000

/** Numbered keys: `count` of them, from `from` on, `step` apart. */
interface Rows {
  readonly from?: number
  readonly count: number
  readonly step?: number
  readonly seqNo?: number
}

/** A snapshot of one base of so many keys, as the snapshot worker would have left it. */
export async function putSnapshot(parts: SnapshotParts, { keys }: { keys: number }): Promise<SnapshotFile> {
  const base = await putSorted(parts, '0/base-0-0-a0.parquet', { count: keys })
  await parts.store.put(MANIFEST_OBJECT, Buffer.from(manifestRecord.encode(manifestOf(parts, base, []))))
  return base
}

export function manifestOf(
  { pipeline }: Pick<SnapshotParts, 'pipeline'>,
  base: SnapshotFile,
  deltas: readonly SnapshotFile[],
): Manifest {
  return {
    version: 1,
    pipeline,
    sequence: 1,
    writtenAtMs: Date.now(),
    writtenBy: { instance: 'bench', attempt: 'a0' },
    partitions: { 0: { nextOffset: deltas.length + 1, base, deltas: [...deltas], retired: [] } },
  }
}

export async function putSorted(parts: SnapshotParts, object: string, rows: Rows): Promise<SnapshotFile> {
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const { schema } = rowsOfBatch(scoresOf([0], 1))
  const pages = pagesOf(rows)
  const write: Parameters<typeof putFile>[2] = (out) => writeMerged([{ schema, pages }], out, { signal })
  return { object, ...(await putFile(parts, objectKey(object), write, signal)) }
}

function* pagesOf({ from = 0, count, step = 1, seqNo = 1 }: Rows): Generator<StoredRows> {
  for (let at = 0; at < count; at += PAGE_ROWS)
    yield rowsOfBatch(scoresOf(numbersFrom(from + at * step, Math.min(PAGE_ROWS, count - at), step), seqNo))
}
