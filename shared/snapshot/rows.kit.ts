import { Buffer } from 'node:buffer'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'

/** Keys `flights/000000` and on, in order, each with its number as its score. */
export function manyRows(from: number, count: number): ScoreBatch {
  const keys = Array.from({ length: count }, (_, i) =>
    Buffer.from(`flights/${`${from + i}`.padStart(6, '0')}`),
  )
  const keyOffsets = new Uint32Array(count + 1)
  for (const [i, key] of keys.entries()) keyOffsets[i + 1] = keyOffsets[i]! + key.length
  return {
    header: {
      partition: 0,
      fromOffset: 0,
      toOffset: 0,
      model: { name: 'delay', version: '1', generation: 1 },
      outputs: ['delay'],
      scoredAtMs: 1,
      trace: null,
    },
    rows: {
      count,
      keys: Buffer.concat(keys),
      keyOffsets,
      documentVersions: new Float64Array(count),
      epochs: new Float64Array(count).fill(1),
      primaryTerms: new Uint32Array(count).fill(1),
      seqNos: Float64Array.from(keys, (_, i) => from + i),
      asOfMs: new Float64Array(count).fill(1_700_000_000_000),
      states: new Uint8Array(count),
      outputs: [Float64Array.from(keys, (_, i) => from + i)],
    },
  }
}
