import { randomBytes } from 'node:crypto'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { SnapshotFile } from '@freshet/records/manifest.ts'
import { emptyRows, STATE } from '@freshet/records/score-batch.ts'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { objectKey } from '@freshet/snapshot/manifest.ts'
import { sortRows } from '@freshet/snapshot/sort.ts'
import { wholeFile } from '@freshet/snapshot/whole-file.kit.ts'

const CHUNK_ROWS = 100_000
const NOISE_BYTES = 36
/** In base64. */
const NOISE_CHARACTERS = (NOISE_BYTES / 3) * 4
const HEAD_CHARACTERS = 'ballast/000000000-'.length
const KEY_CHARACTERS = HEAD_CHARACTERS + NOISE_CHARACTERS

/** Rows that only take room, as a file in the store. Most of a key is noise, so a row takes 49 bytes there. */
export async function ballastFile(store: ObjectStore, rows: number): Promise<SnapshotFile> {
  const chunks = Array.from({ length: Math.ceil(rows / CHUNK_ROWS) }, (_, chunk) => sortRows(chunkOf(chunk)))
  const { bytes, ...facts } = await wholeFile(chunks)
  await store.put(objectKey('ballast.parquet'), bytes)
  return { object: 'ballast.parquet', bytes: bytes.length, ...facts }
}

function chunkOf(chunk: number) {
  const rows = emptyRows(CHUNK_ROWS, CHUNK_ROWS * KEY_CHARACTERS, 1)
  const keys = Buffer.from(rows.keys.buffer, rows.keys.byteOffset, rows.keys.length)
  const noise = Buffer.from(randomBytes(CHUNK_ROWS * NOISE_BYTES).toString('base64url'), 'latin1')
  for (let row = 0; row < CHUNK_ROWS; row++) {
    const at = row * KEY_CHARACTERS
    keys.write(`ballast/${`${chunk * CHUNK_ROWS + row}`.padStart(9, '0')}-`, at, 'latin1')
    noise.copy(keys, at + HEAD_CHARACTERS, row * NOISE_CHARACTERS, (row + 1) * NOISE_CHARACTERS)
    rows.keyOffsets[row + 1] = at + KEY_CHARACTERS
    rows.epochs[row] = 1
    rows.primaryTerms[row] = 1
    rows.seqNos[row] = 1
    rows.asOfMs[row] = 1_764_000_000_000 + row
    rows.states[row] = STATE.scored
    rows.outputs[0]![row] = row
  }
  return rowsOfBatch({
    header: {
      partition: 0,
      fromOffset: 0,
      toOffset: CHUNK_ROWS - 1,
      model: { name: 'delay', version: '1', generation: 1 },
      outputs: ['delay'],
      scoredAtMs: 1_764_003_600_000,
      trace: null,
    },
    rows,
  })
}
