import { Buffer } from 'node:buffer'

/**
 * An index name has at most 255 bytes, an _id 512. Kafka, Redis and Parquet take far more; but a key of a field that is
 * longer is refused when it is captured, since nobody could ask for its score.
 */
export const MAX_KEY_BYTES = 255 + 1 + 512

/** What is wrong with a key that somebody asks for; null when nothing is. */
export function faultOfKey(key: string): string | null {
  if (key === '') return 'the key is empty'
  if (key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES)
    return `the key is longer than ${MAX_KEY_BYTES} bytes`
  return key.isWellFormed() ? null : 'the key has half of a surrogate pair, which no UTF-8 has'
}
