/**
 * CRC-32C (Castagnoli, reflected 0x82F63B78), sixteen bytes a step: kafkajs goes byte by byte, and allocates an array to
 * make the result unsigned. Kafka's batches are checked with it (KIP-98).
 */
const POLYNOMIAL = 0x82f63b78
const STEP_BYTES = 16
const TABLE = makeTable()

/** @returns 0 to 2^32 − 1. */
export function crc32c(bytes: Uint8Array): number {
  const table = TABLE
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let crc = -1
  let at = 0
  for (const end = bytes.length - STEP_BYTES; at <= end; at += STEP_BYTES) {
    const a = crc ^ view.getInt32(at, true)
    const b = view.getInt32(at + 4, true)
    const c = view.getInt32(at + 8, true)
    const d = view.getInt32(at + 12, true)
    crc =
      table[0xf00 | (a & 0xff)]! ^
      table[0xe00 | ((a >>> 8) & 0xff)]! ^
      table[0xd00 | ((a >>> 16) & 0xff)]! ^
      table[0xc00 | (a >>> 24)]! ^
      table[0xb00 | (b & 0xff)]! ^
      table[0xa00 | ((b >>> 8) & 0xff)]! ^
      table[0x900 | ((b >>> 16) & 0xff)]! ^
      table[0x800 | (b >>> 24)]! ^
      table[0x700 | (c & 0xff)]! ^
      table[0x600 | ((c >>> 8) & 0xff)]! ^
      table[0x500 | ((c >>> 16) & 0xff)]! ^
      table[0x400 | (c >>> 24)]! ^
      table[0x300 | (d & 0xff)]! ^
      table[0x200 | ((d >>> 8) & 0xff)]! ^
      table[0x100 | ((d >>> 16) & 0xff)]! ^
      table[d >>> 24]!
  }
  for (; at < bytes.length; at++) crc = table[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

/** At 256 × k + byte: what the byte does to the checksum k more bytes later. */
function makeTable(): Int32Array {
  const table = new Int32Array(STEP_BYTES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    table[byte] = crc
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256]!
    table[i] = table[before & 0xff]! ^ (before >>> 8)
  }
  return table
}
