import { Buffer } from 'node:buffer'
import type { SortedSource } from './merge.ts'
import { writeMerged } from './write-merged.ts'

/** For tests: a snapshot file of all sources, with its bytes in memory. */
export async function wholeFile(sources: readonly SortedSource[]) {
  const pieces: Uint8Array[] = []
  const { rows, newestAsOfMs } = await writeMerged(sources, async (bytes) => void pieces.push(bytes))
  return { bytes: Buffer.concat(pieces), rows, newestAsOfMs }
}
