import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { partitionOf } from '@freshet/adapters/kafka/partitioner.ts'
import type { OutgoingMessage } from '@freshet/adapters/kafka/producer.ts'
import type { Flight } from '@freshet/demo/flights.ts'
import { CHANGE_HEADER, encodeChangeHeader } from '@freshet/records/change.ts'
import type { Stack } from '../stack.ts'

/** A page of changes, and the keys by whose scores one sees that it has come through. */
export interface MarkedPage {
  readonly messages: readonly OutgoingMessage[]
  /** Of the last change of each partition: nothing else has these keys. */
  readonly marks: readonly string[]
}

/** Changes without end: the same documents over and over, each time with a higher revision, as the poller sends them. */
export class ChangeStream {
  readonly #index: string
  readonly #partitions: number
  readonly #documents: readonly { key: Buffer; source: Buffer; partition: number }[]
  readonly #epoch = Date.now()
  #seqNo = 0

  constructor({ index, settings }: Stack, flights: readonly Flight[]) {
    this.#index = index
    this.#partitions = settings.kafka.partitions
    this.#documents = flights.map(({ id, document }) => {
      const key = Buffer.from(`${index}/${id}`)
      return {
        key,
        source: Buffer.from(JSON.stringify(document)),
        partition: partitionOf(key, this.#partitions),
      }
    })
  }

  /** @param rows beside the marks. */
  page(rows: number): MarkedPage {
    const trace = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') }
    const capturedAtMs = Date.now()
    const message = (key: Buffer, source: Buffer, partition: number): OutgoingMessage => {
      const revision = { documentVersion: 0, epoch: this.#epoch, primaryTerm: 1, seqNo: this.#seqNo++ }
      const header = encodeChangeHeader({ key, source, revision, capturedAtMs, trace })
      return {
        partition,
        key,
        value: source,
        headers: { [CHANGE_HEADER]: header },
        timestampMs: capturedAtMs,
      }
    }
    const messages = Array.from({ length: rows }, () => {
      const { key, source, partition } = this.#documents[this.#seqNo % this.#documents.length]!
      return message(key, source, partition)
    })
    const marks = Array.from(
      { length: this.#partitions },
      (_, at) => `${this.#index}/mark-${this.#seqNo}-${at}`,
    )
    for (const [partition, mark] of marks.entries())
      messages.push(message(Buffer.from(mark), this.#documents[0]!.source, partition))
    return { messages, marks }
  }
}
