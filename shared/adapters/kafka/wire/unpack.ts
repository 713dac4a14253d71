/** The records of a batch whose topic has them compressed: gzip and zstd, which Node reads. */
import type { Buffer } from 'node:buffer'
import { unzipSync, zstdDecompressSync } from 'node:zlib'
import { FreshetError } from '@freshet/errors/errors.ts'

/** As a batch's attributes have it. */
export const UNCOMPRESSED = 0
const GZIP = 1
const ZSTD = 4
const NAMES = ['no codec', 'gzip', 'snappy', 'lz4', 'zstd']

/** A batch has about 1 MB on its way, unless message.max.bytes says more; what is many times as much is no batch of ours. */
const MAX_BYTES = 64 * 1024 * 1024
const MAX_BYTES_OF_NONE = 8 * 1024 * 1024
const MAX_RATIO = 256

/** @throws KAFKA_CORRUPT, TOPIC_POLICY for a codec that is not read here */
export function unpack(packed: Buffer, codec: number): Buffer {
  const unzip = codec === GZIP ? unzipSync : codec === ZSTD ? zstdDecompressSync : undefined
  if (unzip === undefined)
    throw new FreshetError(
      'TOPIC_POLICY',
      `records are compressed with ${NAMES[codec] ?? `codec ${codec}`}, which is not read here: set compression.type of the topic to gzip, zstd or uncompressed`,
    )
  try {
    const maxOutputLength = Math.min(MAX_BYTES, MAX_BYTES_OF_NONE + MAX_RATIO * packed.length)
    return unzip(packed, { maxOutputLength })
  } catch (cause) {
    throw new FreshetError('KAFKA_CORRUPT', `records that cannot be unpacked: ${(cause as Error).message}`, {
      cause,
    })
  }
}
