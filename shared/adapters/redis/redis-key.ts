import { crc16, tagsOverSlots } from './key-slot.ts'

/**
 * In a cluster a pipeline lies in so many slots, spread evenly: then some keys of a batch lie in one slot, and travel in
 * one call. More masters than this cannot share a pipeline.
 */
const BUCKETS = 128
const TAGS = tagsOverSlots(BUCKETS)

/** Of a key in a cluster: all keys of a bucket lie in one slot. @param key UTF-8 */
export function bucketOf(key: Uint8Array): number {
  return crc16(key) % BUCKETS
}

/** Where the score of a document key lies. */
export function redisKey(pipeline: string, key: string, isCluster: boolean): string {
  return redisKeyIn(isCluster ? bucketOf(Buffer.from(key)) : undefined, pipeline, key)
}

/** The same, for who knows the key's bucket already. @param bucket undefined: there is no cluster */
export function redisKeyIn(bucket: number | undefined, pipeline: string, key: string): string {
  return bucket === undefined ? `${pipeline}:score:${key}` : `${pipeline}:score:{${TAGS[bucket]}}:${key}`
}

/** Where it is written that all scores are in Redis: in a cluster once in each slot that has some. */
export function markKeys(pipeline: string, isCluster: boolean): string[] {
  return isCluster ? TAGS.map((_, bucket) => markKeyIn(bucket, pipeline)) : [markKeyIn(undefined, pipeline)]
}

/** The one that speaks for the document keys of a bucket. */
export function markKeyIn(bucket: number | undefined, pipeline: string): string {
  return bucket === undefined ? `${pipeline}:filled` : `${pipeline}:filled:{${TAGS[bucket]}}`
}
