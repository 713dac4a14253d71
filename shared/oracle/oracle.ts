/**
 * The conservation oracle: whatever was killed, delayed or repeated, at the end every live document of Elasticsearch
 * has, in Redis and in the snapshot, the score that a plain, single-threaded reference computes for its current
 * `_source`; and nothing else has one.
 *
 * It shares no code with the path that it judges beyond the records' codecs and the model's columns: documents are
 * read by a plain search, Redis by MGET, the snapshot by a stock Parquet reader.
 */
import type { Client } from '@elastic/elasticsearch'
import type { ModelBundle } from '@freshet/model/bundle/bundle.ts'
import { scoreDocuments } from '@freshet/model/run/score-documents.ts'
import type { ObjectStore } from '@freshet/ports/object-store.ts'
import type { KnownScore } from './known-score.ts'
import { readLiveDocuments } from './live-documents.ts'
import { readRedisScores } from './redis-scores.ts'
import { readSnapshotScores } from './snapshot-scores.ts'

export interface OracleInput {
  readonly client: Client
  readonly index: string
  readonly pipeline: string
  readonly redisUrl: string
  readonly store: ObjectStore
  readonly bundle: ModelBundle
}

/** Keys that break the promise, by how. */
export interface Verdict {
  /** Live, and nothing is stored. */
  readonly missing: readonly string[]
  /** Stored, but not the score of the current document. */
  readonly stale: readonly string[]
  /** Stored as a score, and not live. */
  readonly extra: readonly string[]
}

export interface OracleReport {
  readonly liveDocuments: number
  readonly redis: Verdict
  readonly snapshot: Verdict
  readonly snapshotRows: number
}

/** Relative difference that float32 arithmetic may leave between two ways of adding up the same trees. */
const TOLERANCE = 1e-5

export async function checkConservation(input: OracleInput): Promise<OracleReport> {
  const expected = await expectedScores(input)
  const inRedis = await readRedisScores(input.redisUrl, input.pipeline)
  const inSnapshot = await readSnapshotScores(input.store)
  return {
    liveDocuments: expected.size,
    redis: judge(expected, inRedis),
    snapshot: judge(expected, inSnapshot),
    snapshotRows: inSnapshot.size,
  }
}

export function isConserved({ redis, snapshot }: OracleReport): boolean {
  return [redis, snapshot].every(
    ({ missing, stale, extra }) => missing.length + stale.length + extra.length === 0,
  )
}

/** The truth by key: scores of the current `_source`; null where the document cannot be scored. */
async function expectedScores({ client, index, bundle }: OracleInput): Promise<Map<string, KnownScore>> {
  const expected = new Map<string, KnownScore>()
  for await (const documents of readLiveDocuments(client, index)) {
    const scores = await scoreDocuments(
      bundle,
      documents.map((document) => document.source),
    )
    for (const [row, { key }] of documents.entries()) {
      const score = scores[row]!
      expected.set(key, score.state === 'scored' ? score.outputs : null)
    }
  }
  return expected
}

export function judge(
  expected: ReadonlyMap<string, KnownScore>,
  stored: ReadonlyMap<string, KnownScore>,
): Verdict {
  const missing: string[] = []
  const stale: string[] = []
  for (const [key, score] of expected) {
    const found = stored.get(key)
    if (found === undefined) missing.push(key)
    else if (!sameScore(score, found)) stale.push(key)
  }
  const extra = [...stored].filter(([key, score]) => score !== null && !expected.has(key)).map(([key]) => key)
  return { missing, stale, extra }
}

function sameScore(a: KnownScore, b: KnownScore): boolean {
  if (a === null || b === null) return a === b
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => isClose(a[name]!, b[name]))
}

function isClose(a: number, b: number | undefined): boolean {
  return b !== undefined && Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a))
}
