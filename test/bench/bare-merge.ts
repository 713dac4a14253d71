/**
 * What the merge of a snapshot is measured against: hyparquet, a Map from key to row, and hyparquet-writer. All rows are in
 * memory at once, and of two under one key the later file's is kept. Tells its parent what that took.
 * Arguments: prefix in S3, name of the score, objects from the oldest on.
 */
import { zstdCompressSync } from 'node:zlib'
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { schemaElements } from '@freshet/snapshot/parquet/columns.ts'
import type { ParquetRow } from 'hyparquet'
import { ByteWriter, parquetWriteRows } from 'hyparquet-writer'
import { costOf } from './cost.ts'
import { hyparquetRows } from './hyparquet-rows.ts'
import type { MergeReport } from './merge-process.ts'
import { peakMiBOf } from './peak-memory.ts'

const [prefix, score, ...objects] = process.argv.slice(2) as [string, string, ...string[]]
await using store = openS3(loadSettings({ env: { ...process.env, FRESHET_S3_PREFIX: prefix } }).s3)
const rows = new Map<string, ParquetRow>()
let bytes = 0
const cost = await costOf(async () => {
  for (const object of objects)
    for await (const group of hyparquetRows(store, object)) for (const row of group) rows.set(row['key'], row)
  const merged = [...rows.values()].sort((a, b) => (a['key'] < b['key'] ? -1 : 1))
  const writer = new ByteWriter()
  const schema = schemaElements([score])
  const columns = schema.slice(1).map(({ name }) => ({ name }))
  const compressors = { ZSTD: (input: Uint8Array) => new Uint8Array(zstdCompressSync(input)) }
  await parquetWriteRows({ writer, rows: merged, columns, schema, codec: 'ZSTD', compressors })
  bytes = writer.offset
  await store.put('merged', writer.getBytes())
})
const told: MergeReport = { ...cost, peakMiB: peakMiBOf(process.pid), rows: rows.size, bytes }
process.send!(told)
process.disconnect()
