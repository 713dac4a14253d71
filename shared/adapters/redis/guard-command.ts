import { Buffer } from 'node:buffer'
import type { StoredRows } from '@freshet/records/stored-rows.ts'
import { StoredScoreWriter } from '@freshet/records/stored-score-writer.ts'
import { Command } from 'ioredis'
import { RANK_GUARD } from './rank-guard.ts'
import { redisKeyIn } from './redis-key.ts'
import type { GuardedCall } from './rows-to-calls.ts'

/** How Redis is told which script: by its hash, or with its text where it does not know the hash. */
const BY_HASH = { name: 'evalsha', script: bytesOf(RANK_GUARD.sha1) }
const BY_TEXT = { name: 'eval', script: bytesOf(RANK_GUARD.lua) }

/** A call of the guard that ioredis sends as the bytes that it is given. */
class GuardCommand extends Command {
  readonly #bytes: Buffer

  /** @param anyKey lies in the slot of all its keys: how a cluster finds the node */
  constructor(name: string, anyKey: string, bytes: Buffer) {
    super(name, ['', '1', anyKey], { replyEncoding: 'utf8' })
    this.#bytes = bytes
  }

  override toWritable(): Buffer {
    return this.#bytes
  }
}

/**
 * Writes calls of the guard as Redis reads them (RESP, arrays of bulk strings), straight from the columns of a batch. With
 * a text for each key and value the calls were half of all garbage of a scorer. why: decisions/0037
 */
export class GuardCommands {
  readonly #rows: StoredRows
  readonly #pipeline: string
  readonly #values: StoredScoreWriter

  constructor(rows: StoredRows, pipeline: string) {
    this.#rows = rows
    this.#pipeline = pipeline
    this.#values = new StoredScoreWriter(rows)
  }

  /** No command of this call takes more. */
  maxBytes({ rows, bucket }: GuardedCall): number {
    const { keyOffsets } = this.#rows
    let bytes = HEAD_BYTES + BY_TEXT.script.length
    const each = redisKeyIn(bucket, this.#pipeline, '').length * MAX_UTF8_BYTES + this.#values.maxBytes
    for (const row of rows) bytes += each + keyOffsets[row + 1]! - keyOffsets[row]! + 2 * BULK_BYTES
    return bytes
  }

  /** @param into of `maxBytes`; must stay as it is until the command is answered. */
  write(call: GuardedCall, into: Buffer, knowsScript: boolean): Command {
    const { name, script } = knowsScript ? BY_HASH : BY_TEXT
    const { rows, ttlSeconds, bucket } = call
    let at = writeLine(ARRAY, 4 + 2 * rows.length, into, 0)
    at = writeBulk(bytesOf(name), into, at)
    at = writeBulk(script, into, at)
    at = writeBulk(bytesOf(`${rows.length}`), into, at)
    at = this.#writeKeys(call, into, at)
    at = writeBulk(bytesOf(`${ttlSeconds}`), into, at)
    for (const row of rows) at = this.#writeValue(row, into, at)
    return new GuardCommand(name, redisKeyIn(bucket, this.#pipeline, ''), into.subarray(0, at))
  }

  #writeKeys({ rows, bucket }: GuardedCall, into: Buffer, start: number): number {
    const { keys, keyOffsets } = this.#rows
    const prefix = bytesOf(redisKeyIn(bucket, this.#pipeline, ''))
    let at = start
    for (const row of rows) {
      const from = keyOffsets[row]!
      const to = keyOffsets[row + 1]!
      at = writeLine(BULK, prefix.length + to - from, into, at)
      for (let i = 0; i < prefix.length; i++) into[at++] = prefix[i]!
      for (let i = from; i < to; i++) into[at++] = keys[i]!
      at = writeEnd(into, at)
    }
    return at
  }

  /** How long it is stands before it, so it is written behind the longest such line, and moved where that is shorter. */
  #writeValue(row: number, into: Buffer, start: number): number {
    const from = start + BULK_BYTES
    const to = this.#values.write(row, into, from)
    const at = writeLine(BULK, to - from, into, start)
    into.copyWithin(at, from, to)
    return writeEnd(into, at + to - from)
  }
}

const [ARRAY, BULK, ZERO, CR, LF] = [0x2a, 0x24, 0x30, 0x0d, 0x0a]
/** Of a bulk string what stands around it: `$`, up to seven digits, and two ends of lines. */
const BULK_BYTES = 12
const HEAD_BYTES = 128
/** Of a UTF-16 code unit. */
const MAX_UTF8_BYTES = 3

function writeBulk(bytes: Uint8Array, into: Buffer, start: number): number {
  const at = writeLine(BULK, bytes.length, into, start)
  into.set(bytes, at)
  return writeEnd(into, at + bytes.length)
}

/** A letter, a whole number and the end of the line. */
function writeLine(letter: number, number: number, into: Buffer, start: number): number {
  into[start] = letter
  let end = start + 1
  for (let left = number; left > 9; left = (left / 10) | 0) end++
  for (let left = number, at = end; at > start; at--) {
    into[at] = ZERO + (left % 10)
    left = (left / 10) | 0
  }
  return writeEnd(into, end + 1)
}

function writeEnd(into: Buffer, at: number): number {
  into[at] = CR
  into[at + 1] = LF
  return at + 2
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text)
}
