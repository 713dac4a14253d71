/** 2 as Kafka takes it: the changes of one page, of which nothing is kept but bytes and where they lie. */
import { Buffer } from 'node:buffer'
import type { SelfWritten } from '@freshet/adapters/kafka/outgoing-message.ts'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import { sizeOfVarint, writeVarint } from '@freshet/adapters/kafka/wire/varint.ts'
import {
  CHANGE_HEADER,
  CHANGE_HEADER_BYTES,
  type Change,
  encodeChangeHeader,
  writeRevision,
} from '@freshet/records/change.ts'
import type { Page } from './hit-to-change.ts'

const NOTHING = Buffer.alloc(0)
/** Key and header of most. */
const FIRST_BYTES = 128

/**
 * A page stays until Kafka has acknowledged it, and whatever objects it consists of every garbage collection copies until
 * then. So a message is one small object. What stands before its document in a record, the key, and behind it, the
 * header, is written here, one message behind the other; the document stays in the response.
 */
export class ChangeMessages {
  readonly list: ChangeMessage[] = []
  readonly #partitions: number
  readonly #written: Written
  /** Headers as they stand in a record, but for the revision. */
  readonly #behindDocument: Buffer
  readonly #behindDelete: Buffer
  #end = 0
  /** What the last document lies in, as all of a page do. */
  #whole = NOTHING

  /**
   * @param rows       that are to come, or about so many.
   * @param partitions of the topic.
   */
  constructor(page: Page, rows: number, partitions: number) {
    this.#partitions = partitions
    this.#written = {
      bytes: Buffer.allocUnsafe(rows * FIRST_BYTES),
      timestampMs: page.capturedAtMs,
      isReleased: false,
    }
    this.#behindDocument = headersOf(page, NOTHING)
    this.#behindDelete = headersOf(page, null)
  }

  /**
   * @param change of this page. Its source is not copied: its bytes must stay as they are.
   * @throws RECORD_MALFORMED
   */
  add({ key, source, revision }: Change): void {
    const sourceBytes = source === null ? -1 : source.length
    const headers = source === null ? this.#behindDelete : this.#behindDocument
    const keyFrom = this.#end + sizeOfVarint(key.length)
    const keyTo = keyFrom + key.length
    const headersFrom = keyTo + sizeOfVarint(sourceBytes)
    const to = headersFrom + headers.length
    const into = this.#withRoom(to)
    writeVarint(into, key.length, this.#end)
    for (let at = 0; at < key.length; at++) into[keyFrom + at] = key[at]!
    writeVarint(into, sourceBytes, keyTo)
    into.set(headers, headersFrom)
    writeRevision(into, revision, to - CHANGE_HEADER_BYTES)
    this.#end = to
    const document = source === null ? null : { whole: this.#wholeOf(source), from: source.byteOffset }
    const partition = partitionOf(key, this.#partitions)
    const message = new ChangeMessage(partition, this.#written, { keyFrom, keyTo, to, sourceBytes }, document)
    this.list.push(message)
  }

  /**
   * They are in Kafka, and the documents' bytes may become others. A send that kafkajs still tries although its messages
   * went another way must not write those: from now on it fails.
   */
  release(): void {
    this.#written.isReleased = true
  }

  #withRoom(end: number): Buffer {
    const written = this.#written
    if (end > written.bytes.length) {
      const larger = Buffer.allocUnsafe(2 * end)
      written.bytes.copy(larger, 0, 0, this.#end)
      written.bytes = larger
    }
    return written.bytes
  }

  #wholeOf({ buffer }: Buffer): Buffer {
    if (this.#whole.buffer !== buffer) this.#whole = Buffer.from(buffer as ArrayBuffer)
    return this.#whole
  }
}

/** As they stand in a record, the only header's last bytes being the header of a change. */
function headersOf({ epoch, capturedAtMs, trace }: Page, source: Buffer | null): Buffer {
  const revision = { documentVersion: 0, epoch, primaryTerm: 0, seqNo: 0 }
  const header = encodeChangeHeader({ key: NOTHING, revision, capturedAtMs, source, trace })
  const name = Buffer.from(CHANGE_HEADER)
  return Buffer.concat([varint(1), varint(name.length), name, varint(header.length), header])
}

function varint(value: number): Buffer {
  const bytes = Buffer.alloc(sizeOfVarint(value))
  writeVarint(bytes, value, 0)
  return bytes
}

/** Of all messages of a page. */
interface Written {
  bytes: Buffer
  readonly timestampMs: number
  isReleased: boolean
}

/** Up to here a loop is quicker than a call. */
const SHORT_BYTES = 48

class ChangeMessage implements SelfWritten {
  readonly partition: number
  readonly #written: Written
  readonly #keyFrom: number
  readonly #keyTo: number
  readonly #to: number
  /** null for a delete. */
  readonly #whole: Buffer | null
  readonly #sourceFrom: number
  readonly #sourceBytes: number

  constructor(
    partition: number,
    written: Written,
    place: { keyFrom: number; keyTo: number; to: number; sourceBytes: number },
    document: { whole: Buffer; from: number } | null,
  ) {
    this.partition = partition
    this.#written = written
    this.#keyFrom = place.keyFrom
    this.#keyTo = place.keyTo
    this.#to = place.to
    this.#sourceBytes = place.sourceBytes
    this.#whole = document === null ? null : document.whole
    this.#sourceFrom = document === null ? 0 : document.from
  }

  get timestampMs(): number {
    return this.#written.timestampMs
  }

  get key(): Buffer {
    return this.#written.bytes.subarray(this.#keyFrom, this.#keyTo)
  }

  get value(): Buffer | null {
    if (this.#whole === null) return null
    return this.#whole.subarray(this.#sourceFrom, this.#sourceFrom + this.#sourceBytes)
  }

  get headers(): Record<string, Buffer> {
    return { [CHANGE_HEADER]: this.#written.bytes.subarray(this.#to - CHANGE_HEADER_BYTES, this.#to) }
  }

  get bodyBytes(): number {
    return this.#to - this.#from + Math.max(0, this.#sourceBytes)
  }

  writeBody(into: Buffer, start: number): number {
    const { bytes, isReleased } = this.#written
    if (isReleased) throw new Error('a message that is in Kafka already is not written again')
    const from = this.#from
    const documentAt = this.#keyTo + sizeOfVarint(this.#sourceBytes)
    let at = start
    if (documentAt - from > SHORT_BYTES) at += bytes.copy(into, at, from, documentAt)
    else for (let i = from; i < documentAt; i++) into[at++] = bytes[i]!
    if (this.#whole !== null)
      at += this.#whole.copy(into, at, this.#sourceFrom, this.#sourceFrom + this.#sourceBytes)
    return at + bytes.copy(into, at, documentAt, this.#to)
  }

  get #from(): number {
    return this.#keyFrom - sizeOfVarint(this.#keyTo - this.#keyFrom)
  }
}
