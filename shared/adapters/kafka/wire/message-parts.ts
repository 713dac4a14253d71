import { Buffer } from 'node:buffer'
import type { IncomingMessage } from '../batch.ts'
import { FetchedRecord } from './fetched-records.ts'
import type { MessagePlaces } from './message-places.ts'

/** Bytes of its key; 0 without one. */
export function keyLengthOf(message: Pick<IncomingMessage, 'key'>): number {
  return message instanceof FetchedRecord ? message.keyLength : (message.key?.length ?? 0)
}

/** Bytes of its value; 0 for a tombstone. */
export function valueLengthOf(message: Pick<IncomingMessage, 'value'>): number {
  return message instanceof FetchedRecord ? message.valueLength : (message.value?.length ?? 0)
}

const NOTHING = Buffer.alloc(0)

/**
 * Looks where the parts of messages stand, one message after the other, without making a Buffer for each: three of them a
 * message are a good part of what reading a message costs.
 */
export class MessageParts implements MessagePlaces {
  bytes: Buffer = NOTHING
  keyAt = 0
  keyTo = -1
  valueAt = 0
  valueTo = -1
  headerAt = 0
  headerTo = -1
  readonly #header: string
  readonly #headerBytes: Uint8Array

  /** @param header the name of the one header that is looked for. */
  constructor(header: string) {
    this.#header = header
    this.#headerBytes = Uint8Array.from(Buffer.from(header))
  }

  /** Fills all fields with what they are for this message. */
  of(message: Pick<IncomingMessage, 'key' | 'value' | 'headers'>): void {
    if (message instanceof FetchedRecord) message.locate(this.#headerBytes, this)
    else this.#copy(message)
  }

  #copy({ key, value, headers }: Pick<IncomingMessage, 'key' | 'value' | 'headers'>): void {
    const header = headers[this.#header]
    this.bytes = Buffer.concat([key ?? NOTHING, value ?? NOTHING, header ?? NOTHING])
    this.keyAt = 0
    this.valueAt = key?.length ?? 0
    this.headerAt = this.valueAt + (value?.length ?? 0)
    this.keyTo = key === null ? -1 : this.valueAt
    this.valueTo = value === null ? this.valueAt - 1 : this.headerAt
    this.headerTo = header === undefined ? this.headerAt - 1 : this.bytes.length
  }
}
