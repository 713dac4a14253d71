/** What a broker sends: our own decoder of record batches, with a checksum that fits and with one that does not. */
import { Buffer } from 'node:buffer'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { crc32c } from '@freshet/adapters/kafka/wire/crc32c.ts'
import { decodeRecords, type FetchedRecord } from '@freshet/adapters/kafka/wire/fetched-records.ts'
import { MessageParts } from '@freshet/adapters/kafka/wire/message-parts.ts'
import { planBatch, writeBatch } from '@freshet/adapters/kafka/wire/record-batch.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzz } from './fuzz.kit.ts'
import { damaged } from './mutations.kit.ts'

function batchOf(records: number, from = 0): Buffer {
  const messages = Array.from({ length: records }, (_, i) => ({
    partition: 0,
    key: i % 3 === 2 ? null : Buffer.from(`flights/${i}`),
    value: i % 3 === 1 ? null : Buffer.from(`{"delay":${i}}`),
    headers: { c: Buffer.alloc(64, i), __proto__x: Buffer.of(1) },
    timestampMs: 1_700_000_000_000 + i,
  }))
  const plan = planBatch(messages, 1_700_000_000_000)
  const bytes = Buffer.alloc(plan.bytes)
  writeBatch(bytes, plan, 0)
  bytes.writeBigInt64BE(BigInt(from), 0)
  return bytes
}

const valid = [batchOf(1), batchOf(7), Buffer.concat([batchOf(3), batchOf(2, 3)])]

/** To the last byte, as consumers do. */
function seen(record: FetchedRecord) {
  const parts = new MessageParts('c')
  parts.of(record)
  const { key, value, headers, keyLength, valueLength, timestampMs, offset } = record
  return { key, value, headers: { ...headers }, keyLength, valueLength, timestampMs, offset }
}

fuzz({
  name: 'record-batch',
  format: 'bytes',
  codes: ['KAFKA_CORRUPT'],
  valid,
  read: (bytes) => decodeRecords(bytes).map(seen),
})

/** Length and checksum are those of the bytes: whoever made the batch meant it so. */
function sealed(bytes: Buffer, codec: number): Buffer {
  if (bytes.length < HEAD_BYTES) return bytes
  const whole = Buffer.from(bytes)
  whole.writeInt32BE(whole.length - 12, 8)
  whole[16] = 2
  whole[22] = (whole[22]! & ~7) | codec
  whole.writeUInt32BE(crc32c(whole.subarray(21)), 17)
  return whole
}

const HEAD_BYTES = 61
const CODECS = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

/** Sees all of what the batch has, which no more bytes account for than these. */
function readSealed(batch: Buffer, bytes: number): void {
  const records = decodeRecords(batch)
  expect(records.length).toBeLessThanOrEqual(bytes)
  for (const record of records) {
    const { offset, timestampMs, key, value, headers } = seen(record)
    for (const number of [offset, timestampMs]) expect(number).not.toBeNaN()
    const parts = [key, value, ...Object.values(headers)]
    for (const part of parts) expect(part?.length ?? 0).toBeLessThanOrEqual(bytes)
  }
}

fuzz({
  name: 'sealed-record-batch',
  format: 'bytes',
  codes: ['KAFKA_CORRUPT'],
  valid,
  read: (bytes) => readSealed(sealed(bytes, CODECS.none), bytes.length),
})

/** A batch whose records are compressed: what was meddled with is inside. */
function packed(bytes: Buffer, codec: 'gzip' | 'zstd'): Buffer {
  const pack = codec === 'gzip' ? gzipSync : zstdCompressSync
  const records = pack(bytes.subarray(HEAD_BYTES))
  return sealed(Buffer.concat([bytes.subarray(0, HEAD_BYTES), records]), CODECS[codec])
}

fuzz({
  name: 'packed-record-batch',
  format: 'bytes',
  codes: ['KAFKA_CORRUPT'],
  valid: valid.slice(0, 2),
  share: 0.5,
  read(bytes) {
    readSealed(packed(bytes, 'gzip'), bytes.length)
    readSealed(packed(bytes, 'zstd'), bytes.length)
  },
})

for (const codec of ['gzip', 'zstd'] as const)
  fuzz({
    name: `${codec}-record-batch`,
    format: 'bytes',
    codes: ['KAFKA_CORRUPT'],
    valid: valid.slice(0, 2).map((bytes) => packed(bytes, codec)),
    share: 0.5,
    maxKeptBytes: (inputBytes) => 32 * 2 ** 20 + 600 * inputBytes,
    read: (bytes) => void decodeRecords(sealed(bytes, CODECS[codec])).map(seen),
  })

test('compressed records are what they were, whatever stands before and behind them in the answer', () => {
  const [one, seven] = valid as [Buffer, Buffer]
  const expected = [seven, one, seven].flatMap((bytes) => decodeRecords(bytes).map(seen))
  for (const codec of ['gzip', 'zstd'] as const) {
    const answer = Buffer.concat([packed(seven, codec), one, packed(seven, codec)])
    expect(decodeRecords(answer).map(seen)).toEqual(expected)
  }
})

test('a record that reaches into the next batch is refused', () => {
  const reaching = Buffer.from(valid[0]!)
  reaching[HEAD_BYTES] = reaching[HEAD_BYTES]! + 2 // its length is a zigzag varint: one byte more
  const answer = Buffer.concat([sealed(reaching, CODECS.none), valid[1]!])
  expect(() => decodeRecords(answer)).toThrow(expect.objectContaining({ code: 'KAFKA_CORRUPT' }))
})

test('a batch that was damaged behind a compressed one is refused as well', () => {
  const answer = Buffer.concat([packed(valid[0]!, 'gzip'), valid[1]!])
  answer[answer.length - 1] = answer.at(-1)! ^ 1
  expect(() => decodeRecords(answer)).toThrow(expect.objectContaining({ code: 'KAFKA_CORRUPT' }))
})

test.each(['gzip', 'zstd'] as const)('a batch of %s that is forty megabytes inside is refused', (codec) => {
  const bomb = packed(Buffer.concat([valid[0]!, Buffer.alloc(40 * 2 ** 20)]), codec)
  expect(bomb.length).toBeLessThan(200_000)
  expect(() => decodeRecords(bomb)).toThrow(expect.objectContaining({ code: 'KAFKA_CORRUPT' }))
})

test.each([
  ['snappy', CODECS.snappy],
  ['lz4', CODECS.lz4],
  ['codec 7', 7],
])('records that are compressed with %s are refused by its name', (name, codec) => {
  expect(() => decodeRecords(sealed(valid[0]!, codec))).toThrow(
    expect.objectContaining({ code: 'TOPIC_POLICY', message: expect.stringContaining(name) }),
  )
})

test('no damage behind the checksum gives another message: all before it are as they were, or the fetch is refused', () => {
  const whole = valid[2]!
  const expected = decodeRecords(whole).map(seen)
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      // Where the batch stands, how long it is and what leader sent it is not under the checksum.
      fc.pre(at % batchOf(3).length >= 21)
      const changed = Buffer.from(whole)
      changed[at] = changed[at]! ^ flip
      expect(() => decodeRecords(changed)).toThrow(expect.objectContaining({ code: 'KAFKA_CORRUPT' }))
    }),
  )
  fc.assert(
    fc.property(fc.nat(whole.length), (length) => {
      const records = decodeRecords(whole.subarray(0, length)).map(seen)
      expect(records).toEqual(expected.slice(0, records.length))
    }),
  )
})

test('a batch that was damaged at random is not taken for other records', () => {
  const whole = valid[1]!
  const texts = new Set(decodeRecords(whole).map((record) => JSON.stringify({ ...seen(record), offset: 0 })))
  fc.assert(
    fc.property(damaged(whole), (changed) => {
      let records: FetchedRecord[] = []
      try {
        records = decodeRecords(changed)
      } catch {
        return
      }
      for (const record of records) expect(texts).toContain(JSON.stringify({ ...seen(record), offset: 0 }))
    }),
  )
})
