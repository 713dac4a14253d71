import { Buffer } from 'node:buffer'
import { emptyRows, type ScoreBatch, STATE } from '@freshet/records/score-batch.ts'

const KEY_BYTES = Buffer.byteLength(keyOf(0))

/** What the model's one output is called. */
export const SCORE = 'arrival_delay_minutes'

/** `flights/000000042-9e3779b1`, in the order of their numbers; the end is as good as random, as in real keys. */
export function keyOf(number: number): string {
  const mixed = Math.imul(number + 1, 0x9e3779b1) >>> 0
  return `flights/${`${number}`.padStart(9, '0')}-${mixed.toString(16).padStart(8, '0')}`
}

/**
 * A batch of scores of numbered keys, as a model gives them.
 * @param numbers of the keys. @param seqNo of all of them: a higher one outranks
 */
export function scoresOf(numbers: readonly number[], seqNo: number): ScoreBatch {
  const rows = emptyRows(numbers.length, numbers.length * KEY_BYTES, 1)
  const keys = Buffer.from(rows.keys.buffer, rows.keys.byteOffset, rows.keys.length)
  for (const [row, number] of numbers.entries()) {
    keys.write(keyOf(number), row * KEY_BYTES, 'latin1')
    rows.keyOffsets[row + 1] = (row + 1) * KEY_BYTES
    rows.epochs[row] = 1_764_000_000_123
    rows.primaryTerms[row] = 3
    rows.seqNos[row] = seqNo * 2 ** 24 + ((Math.imul(number + 1, 0x85ebca6b) >>> 8) % 2 ** 24)
    rows.asOfMs[row] = 1_764_000_001_456 + ((Math.imul(number + 1, 0xc2b2ae35) >>> 8) % 3_600_000)
    rows.states[row] = STATE.scored
    rows.outputs[0]![row] = Math.fround(Math.sin(number + seqNo) * 100)
  }
  return {
    header: {
      partition: 0,
      fromOffset: 0,
      toOffset: numbers.length - 1,
      model: { name: 'arrival-delay', version: '1', generation: 7 },
      outputs: [SCORE],
      scoredAtMs: 1_764_003_600_000,
      trace: null,
    },
    rows,
  }
}

/** `count` numbers from `from` on, `step` apart. */
export function numbersFrom(from: number, count: number, step = 1): number[] {
  return Array.from({ length: count }, (_, i) => from + i * step)
}
