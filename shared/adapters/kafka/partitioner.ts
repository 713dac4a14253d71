/**
 * The partition that Kafka's own default partitioner picks for a key (murmur2, sign bit cleared), so that other
 * clients find the same one.
 */
export function partitionOf(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitions
}

/** 32-bit MurmurHash2 with Kafka's seed. Source: org.apache.kafka.common.utils.Utils.murmur2. */
function murmur2(bytes: Buffer): number {
  const whole = bytes.length & ~3
  let hash = 0x9747_b28c ^ bytes.length
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), FACTOR)
    word = Math.imul(word ^ (word >>> 24), FACTOR)
    hash = Math.imul(hash, FACTOR) ^ word
  }
  const rest = bytes.length - whole
  if (rest === 3) hash ^= bytes[whole + 2]! << 16
  if (rest >= 2) hash ^= bytes[whole + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[whole]!, FACTOR)
  hash = Math.imul(hash ^ (hash >>> 13), FACTOR)
  return hash ^ (hash >>> 15)
}

const FACTOR = 0x5bd1_e995
