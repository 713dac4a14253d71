import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rowsOfBatch } from '@freshet/records/stored-rows.ts'
import { afterAll, expect, test } from 'vitest'
import { hasModule, runPython } from '../python.kit.ts'
import { manyRows } from '../rows.kit.ts'
import { sortRows } from '../sort.ts'
import { wholeFile } from '../whole-file.kit.ts'

const folder = mkdtempSync(join(tmpdir(), 'freshet-'))
const path = join(folder, 'base.parquet')
afterAll(() => rmSync(folder, { recursive: true }))

const SUMMARY = {
  rows: 150_000,
  low: 'flights/000000',
  score: 123_456,
  type: 'string',
  as_of: '2023-11-14 22:13:20+00:00',
}

// Tools of others, which CI installs: without them there is nothing to read the files with.
test.skipIf(!hasModule('duckdb'))(
  'DuckDB reads a snapshot and finds a key (skipped without the duckdb module)',
  async () => {
    await writeBase()
    const code = `
import duckdb, json, sys
db = duckdb.connect()
db.execute("set timezone = 'UTC'")
rows, low = db.execute("select count(*), min(key) from '${path}' where state = 'scored'").fetchone()
score, as_of = db.execute("select delay, as_of from '${path}' where key = 'flights/123456'").fetchone()
type = db.execute("select typeof(as_of) from '${path}' limit 1").fetchone()[0]
print(json.dumps(dict(rows=rows, low=low, score=score, type=type, as_of=str(as_of))))`
    expect(runPython(code)).toEqual({ ...SUMMARY, type: 'TIMESTAMP WITH TIME ZONE' })
  },
)

test.skipIf(!hasModule('pyarrow'))(
  'pyarrow reads a snapshot and skips row groups (skipped without the pyarrow module)',
  async () => {
    await writeBase()
    const code = `
import json, pyarrow.parquet as pq
table = pq.read_table('${path}', filters=[('key', '=', 'flights/123456')])
whole = pq.ParquetFile('${path}')
low = whole.metadata.row_group(0).column(0).statistics.min
row = table.to_pylist()[0]
print(json.dumps(dict(rows=whole.metadata.num_rows, low=low, score=row['delay'],
  type=str(table.schema.field('key').type), as_of=str(row['as_of']))))`
    expect(runPython(code)).toEqual(SUMMARY)
  },
)

async function writeBase(): Promise<void> {
  const parts = Array.from({ length: 15 }, (_, part) =>
    sortRows(rowsOfBatch(manyRows(part * 10_000, 10_000))),
  )
  writeFileSync(path, (await wholeFile(parts)).bytes)
}
