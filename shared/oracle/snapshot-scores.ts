import { zstdDecompressSync } from 'node:zlib'
import { getIfThere } from '@freshet/ports/get-if-there.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import { MANIFEST_OBJECT, type Manifest, manifestRecord } from '@freshet/records/manifest.ts'
import { newer, type Rank } from '@freshet/records/revision.ts'
import { parquetReadObjects } from 'hyparquet'
import type { KnownScore } from './known-score.ts'

/** Everything that the snapshot says: all files of the manifest, the highest rank of each key. */
export async function readSnapshotScores(store: ObjectStore): Promise<Map<string, KnownScore>> {
  const manifest = await readManifest(store)
  const rows = new Map<string, Row>()
  for (const { base, deltas } of Object.values(manifest?.partitions ?? {}))
    for (const { object } of [...(base === null ? [] : [base]), ...deltas])
      for (const row of await readFile(store, `snapshots/${object}`)) {
        const there = rows.get(row.key)
        rows.set(row.key, there === undefined ? row : newer(there, row))
      }
  return new Map([...rows].map(([key, { score }]) => [key, score]))
}

interface Row {
  readonly key: string
  readonly rank: Rank
  readonly score: KnownScore
}

async function readManifest(store: ObjectStore): Promise<Manifest | null> {
  const stored = await getIfThere(store, MANIFEST_OBJECT)
  return stored && manifestRecord.decode(stored.body)
}

async function readFile(store: ObjectStore, key: string): Promise<Row[]> {
  const { body } = await store.get(key)
  const file = body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength) as ArrayBuffer
  const compressors = { ZSTD: (input: Uint8Array) => new Uint8Array(zstdDecompressSync(input)) }
  return (await parquetReadObjects({ file, compressors })).map(toRow)
}

/** Written down again on purpose: an oracle that reads the writer's own list agrees with its mistakes. */
const OURS = new Set([
  'key',
  'document_version',
  'epoch',
  'primary_term',
  'seq_no',
  'model_generation',
  'as_of',
  'scored_at',
  'state',
])

function toRow(row: Record<string, unknown>): Row {
  const number = (name: string) => Number(row[name])
  const outputs = Object.entries(row).filter(([name, value]) => !OURS.has(name) && !Number.isNaN(value))
  return {
    key: String(row['key']),
    rank: {
      revision: {
        documentVersion: number('document_version'),
        epoch: number('epoch'),
        primaryTerm: number('primary_term'),
        seqNo: number('seq_no'),
      },
      modelGeneration: number('model_generation'),
    },
    score: row['state'] === 'scored' ? (Object.fromEntries(outputs) as Record<string, number>) : null,
  }
}
