import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type BatchRow, scoreBatchOf } from '@freshet/records/score-batch.kit.ts'
import type { ScoreBatch } from '@freshet/records/score-batch.ts'
import { hasModule, runPython } from '@freshet/snapshot/python.kit.ts'
import { manyRows } from '@freshet/snapshot/rows.kit.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SnapshotWorld } from './snapshot-world.kit.ts'

/** The recipes of docs/05-snapshots.md, run as they stand there. */
const folder = mkdtempSync(join(tmpdir(), 'freshet-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A base, and deltas that score again, delete, and bring another model with another output. */
const LOG = [
  manyRows(0, 300),
  manyRows(200, 300),
  again({ key: 'flights/000007', seqNo: 1_000, outputs: [-7, 0.5] }, ['delay', 'risk']),
  again({ key: 'flights/000008', seqNo: 1_000, state: 'deleted', outputs: [] }),
  again({ key: 'flights/000009', seqNo: 8, outputs: [-9] }), // older than what is there: it loses
]

const EXPECTED = { keys: 499, seventh: -7, eighth: null, ninth: 9, sum: (499 * 500) / 2 - 8 - 2 * 7 }

beforeAll(async () => {
  const world = new SnapshotWorld(LOG, { mergeShare: 0.25 })
  await world.work()
  for (const { key } of await world.store.list('')) {
    const path = join(folder, key)
    mkdirSync(dirname(path), { recursive: true })
    const { body } = await world.store.get(key)
    const text = body.toString('latin1').replaceAll('memory://', `${folder}/`)
    writeFileSync(path, key.endsWith('.json') ? text : body)
  }
})

// Tools of others, which CI installs: without them there is nothing to read the files with.
test.skipIf(!hasModule('duckdb'))(
  'DuckDB sees the highest rank of each key and no deleted one (skipped without the duckdb module)',
  () => {
    const code = `
import duckdb, json, sys
for statement in sys.stdin.read().split(';'):
  duckdb.execute(statement)
keys, total = duckdb.execute('select count(*), sum(delay) from scores').fetchone()
def score(key):
  row = duckdb.execute('select delay from scores where key = ?', [key]).fetchone()
  return None if row is None else row[0]
print(json.dumps(dict(keys=keys, seventh=score('flights/000007'), eighth=score('flights/000008'), ninth=score('flights/000009'), sum=total)))`
    expect(runPython(code, recipe('sql').trim().replace(/;$/, ''))).toEqual(EXPECTED)
  },
)

test.skipIf(!hasModule('pandas') || !hasModule('pyarrow'))(
  'pandas sees the same (skipped without the modules pandas and pyarrow)',
  () => {
    const local = recipe('python')
      .replace('from pyarrow.fs import S3FileSystem', 'from pyarrow.fs import LocalFileSystem')
      .replace('S3FileSystem()', 'LocalFileSystem()')
    const code = `
import sys
exec(sys.stdin.read())
score = lambda key: scores.delay.get(key)
print(json.dumps(dict(keys=len(scores), seventh=score('flights/000007'), eighth=score('flights/000008'), ninth=score('flights/000009'), sum=scores.delay.sum())))`
    expect(runPython(code, local)).toEqual(EXPECTED)
  },
)

function again(row: BatchRow, outputs: readonly string[] = ['delay']): ScoreBatch {
  const generation = outputs.length
  return scoreBatchOf([row], { model: { name: 'delay', version: `${generation}`, generation }, outputs })
}

/** The block of that language, with the bucket at the folder. */
function recipe(language: string): string {
  const page = readFileSync(new URL('../../../docs/05-snapshots.md', import.meta.url), 'utf8')
  const block = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(page)![1]!
  return block.replaceAll('s3://freshet/freshet', folder).replaceAll('freshet/freshet', folder)
}
