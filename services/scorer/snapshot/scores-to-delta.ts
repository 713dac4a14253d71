import { recentlyRetired } from '@freshet/snapshot/retention.ts'
import { writeMerged } from '@freshet/snapshot/write-merged.ts'
import type { TakenScores } from './held-scores.ts'
import type { NewFile } from './publish.ts'

/** (4→5) The scores that were held become one more delta of their partition. */
export function scoresToDelta({ partition, sources, fromOffset, nextOffset }: TakenScores): NewFile {
  return {
    name: { partition, kind: 'delta', fromOffset, toOffset: nextOffset - 1 },
    write: (out, signal) => writeMerged(sources, out, { signal }),
    next: (file, now, nowMs) => ({
      nextOffset,
      writtenAtMs: nowMs,
      base: now?.base ?? null,
      deltas: [...(now?.deltas ?? []), ...(file === null ? [] : [file])],
      retired: recentlyRetired(now, nowMs),
    }),
  }
}
