/**
 * Where the parts of a batch of records stand, from its first byte (KIP-98): 0 baseOffset i64, 8 length i32 of what
 * follows, 12 leader epoch i32, 16 magic i8 = 2, 17 crc u32 of all from 21 on, 21 attributes i16, 23 last offset delta
 * i32, 27 first and 35 max timestamp i64, 43 producer id i64, 51 producer epoch i16, 53 first sequence i32, 57 count i32,
 * 61 records.
 *
 * Record: length varint, attributes i8, timestampDelta varlong, offsetDelta varint, key, value (each varint length, −1 for
 * null, then bytes), headers (varint count; each: varint length and name, varint length and value).
 */
export const AT = {
  firstOffset: 0,
  length: 8,
  /** What the length counts begins here. */
  lengthEnd: 12,
  magic: 16,
  checksum: 17,
  /** What the checksum is of begins here, with the attributes. */
  checked: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  count: 57,
  records: 61,
} as const

export const MAGIC = 2
