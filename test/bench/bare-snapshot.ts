/**
 * What the snapshot in memory is measured against: hyparquet, which reads key and score of each file, and a Map from the
 * one to the other. No ranks, so what is loaded later wins; no deletes; and nobody is answered meanwhile. Tells its parent
 * what that took, and keeps the Map. Arguments: prefix in S3, name of the score, objects from the oldest on.
 */
import { openS3 } from '@freshet/adapters/s3/s3-object-store.ts'
import { loadSettings } from '@freshet/config/load.ts'
import { type Cost, costOf } from './cost.ts'
import { hyparquetRows } from './hyparquet-rows.ts'
import { peakMiBOf } from './peak-memory.ts'

export interface BareLoad extends Cost {
  readonly peakMiB: number
  readonly rows: number
  readonly keys: number
}

const [prefix, score, ...objects] = process.argv.slice(2) as [string, string, ...string[]]
const store = openS3(loadSettings({ env: { ...process.env, FRESHET_S3_PREFIX: prefix } }).s3)
const scores = new Map<string, number>()
let rows = 0
process.once('disconnect', () => process.exit())
const cost = await costOf(async () => {
  for (const object of objects)
    for await (const group of hyparquetRows(store, object, ['key', score])) {
      for (const row of group) scores.set(row['key'], row[score])
      rows += group.length
    }
})
const told: BareLoad = { ...cost, peakMiB: peakMiBOf(process.pid), rows, keys: scores.size }
process.send!(told)
