import { Buffer } from 'node:buffer'
import { JsonScanner, malformed } from './json-scanner.ts'

/** A document of a pool; its bytes are views of the response. */
export interface PoolHit {
  readonly index: string
  readonly id: string
  /** As much of the document as was asked for; `{}` when that was nothing. */
  readonly source: Buffer
}

export interface Pool {
  /** In Elasticsearch's order. */
  readonly hits: readonly PoolHit[]
  /** False when a shard failed, or the search ended before it had seen everything. */
  readonly isWhole: boolean
}

/** What `cutPool` reads; the rest need not travel. Of an empty pool `max_score` is what shows that there was a search. */
export const POOL_FILTER =
  'timed_out,terminated_early,_shards.total,_shards.failed,_shards.successful,hits.max_score,hits.hits._index,hits.hits._id,hits.hits._source'

/** @throws HIT_MALFORMED when the bytes are not a search response */
export function cutPool(response: Buffer): Pool {
  const scan = new JsonScanner(response)
  let hits: PoolHit[] | undefined
  let endedEarly = false
  let shards: unknown
  for (let name = scan.firstName(); name !== undefined; name = scan.nextName()) {
    if (name === 'timed_out' || name === 'terminated_early') endedEarly = scan.json() === true || endedEarly
    else if (name === '_shards') shards = scan.json()
    else if (name === 'hits') hits = cutHits(scan)
    else scan.skip()
  }
  if (hits === undefined || !isShardCount(shards)) throw malformed('no _shards and hits in the response')
  return { hits, isWhole: !endedEarly && shards.failed === 0 && shards.successful === shards.total }
}

function cutHits(scan: JsonScanner): PoolHit[] {
  const hits: PoolHit[] = []
  for (let name = scan.firstName(); name !== undefined; name = scan.nextName()) {
    if (name === 'hits') scan.array(() => hits.push(cutHit(scan)))
    else scan.skip()
  }
  return hits
}

function cutHit(scan: JsonScanner): PoolHit {
  let index: string | undefined
  let id: unknown
  let source: Buffer | undefined
  for (let name = scan.firstName(); name !== undefined; name = scan.nextName()) {
    if (name === '_index') index = scan.word()
    else if (name === '_id') id = scan.json()
    else if (name === '_source') source = scan.bytes()
    else scan.skip()
  }
  if (index === undefined || typeof id !== 'string') throw malformed('a hit without _index and _id')
  return { index, id, source: source ?? NOTHING }
}

const NOTHING = Buffer.from('{}')

function isShardCount(value: unknown): value is { total: number; successful: number; failed: number } {
  const { total, successful, failed } = (value ?? {}) as Record<string, unknown>
  return [total, successful, failed].every(Number.isSafeInteger)
}
